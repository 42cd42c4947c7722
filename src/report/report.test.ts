import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineChart } from './line-chart.ts';
import { htmlTable, page, standaloneSvg } from './page.ts';
import { linearScale, logScale, shortNumber } from './scale.ts';

const chart = (name: string, ys: readonly number[]) =>
  lineChart({
    title: 'T',
    x: { label: 'users' },
    y: { label: 'tokens' },
    series: [{ name, points: ys.map((y, x) => ({ x, y })) }],
  });

describe('scales', () => {
  it('hold every value between their ends, with ascending ticks', () => {
    const values = fc.array(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(values, (list) => {
        for (const scale of [linearScale(list, 0, 100), logScale(list, 0, 100)]) {
          for (const value of list) {
            expect(scale.at(value)).toBeGreaterThanOrEqual(-0.2);
            expect(scale.at(value)).toBeLessThanOrEqual(100.2);
          }
          expect(scale.ticks).toEqual(scale.ticks.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('write short numbers', () => {
    expect([0, 0.05, 12_000, 2_500_000].map(shortNumber)).toEqual(['0', '0.05', '12k', '2.5M']);
  });
});

describe('charts', () => {
  it('hold no place that is not a number, whatever the values', () => {
    const values = fc.array(
      fc.oneof(
        fc.double({ min: -1e12, max: 1e12 }),
        fc.constant(Number.NaN),
        fc.constant(Infinity),
        fc.constant(0),
      ),
    );
    fc.assert(fc.property(values, (ys) => void expect(chart('a', ys)).not.toMatch(/NaN|Infinity"/)));
  });

  it('escape names, and stand alone as a file', () => {
    const svg = chart('<b> & "c"', [1, 2]);
    expect(svg).toContain('&lt;b&gt; &amp; &quot;c&quot;');
    expect(svg).not.toContain('<b>');
    expect(standaloneSvg(svg)).toMatch(/^<svg xmlns=.*<style>/);
  });
});

describe('pages', () => {
  it('need nothing from outside', () => {
    const html = page({
      title: '<T>',
      subtitle: 's',
      sections: [{ heading: 'h', figures: [chart('a', [1, 2]), htmlTable(['x'], [['<i>']])] }],
      footer: 'f',
    });
    expect(html).not.toMatch(/(?:src|href)=|https?:|@import|url\(/);
    expect(html).toContain('&lt;T&gt;');
    expect(html).toContain('&lt;i&gt;');
  });
});
