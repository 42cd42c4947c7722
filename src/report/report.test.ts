import { readdir, readFile } from 'node:fs/promises';
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

  it('have ticks at whole numbers where whole things are counted, and at both ends of a logarithm', () => {
    expect(linearScale([1, 2], 0, 1).ticks).toEqual([0, 1, 2]);
    expect(linearScale([0.5, 1.5], 0, 1).ticks).toContain(0.5);
    expect(logScale([36, 45_000], 0, 1).ticks).toEqual([10, 100, 1000, 10_000, 100_000]);
  });

  it('write short numbers', () => {
    expect([0, 0.05, 12_000, 2_500_000].map(shortNumber)).toEqual(['0', '0.05', '12k', '2.5M']);
  });
});

describe('charts', () => {
  it('contain only numeric coordinates, whatever the values', () => {
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

  it('name a logarithmic axis, and draw lines that lie on each other apart', () => {
    const points = [1, 10, 1000].map((x) => ({ x, y: x }));
    const axes = { x: { label: 'users', scale: 'log' }, y: { label: 'ms', scale: 'log' } } as const;
    const svg = lineChart({
      title: 'T',
      ...axes,
      series: [1, 2, 3].map((n) => ({ name: `line ${n}`, points })),
    });
    expect(svg).toContain('>users, logarithmic</text>');
    expect(svg).toContain('>ms, logarithmic</text>');
    const dashes = [...svg.matchAll(/<polyline[^>]*?(?: stroke-dasharray="([^"]*)")? points/g)].map(
      (m) => m[1],
    );
    expect(new Set(dashes).size).toBe(3);
  });

  it('write every name in full, below the plot where there is no room beside it', () => {
    const name = 'eight experts of a model with a very long name';
    expect(chart(name, [1, 2])).toContain(`>${name}</text>`);
    expect(chart('short', [1, 2])).not.toContain('x1="4" x2="40"');
  });

  it('need no variables as files, so that no viewer draws them black', () => {
    expect(standaloneSvg(chart('a', [1, 2]))).not.toContain('var(');
  });

  it('in docs/ have titles and units that fit into their width', async () => {
    const folder = new URL('../../docs/pictures/', import.meta.url);
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.svg'))) {
      const svg = await readFile(new URL(file, folder), 'utf8');
      // 7.5 units is a wide letter at this size.
      for (const [, text] of svg.matchAll(/<text class="(?:title|unit)" x="4"[^>]*>([^<]*)</g))
        expect(text!.length * 7.5, `${file}: ${text}`).toBeLessThanOrEqual(472);
    }
  });

  it('have letters of at least 9 pixels where the picture is 360 wide', () => {
    const svg = standaloneSvg(chart('a', [1, 2]));
    const width = Number(/viewBox="-12 -12 (\d+)/.exec(svg)![1]);
    const sizes = [...svg.matchAll(/(?:font:|font-size:) ?(\d+)px/g)].map((match) => Number(match[1]));
    expect(Math.min(...sizes) * (360 / width)).toBeGreaterThanOrEqual(9);
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
