import fc from 'fast-check';
import { Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parseMetrics, type Sample } from './prometheus.ts';

const only = (line: string): Sample | undefined => {
  const { samples, unreadable } = parseMetrics(line);
  expect(samples.length + unreadable).toBe(1);
  return samples[0];
};

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

describe('parseMetrics', () => {
  it.each([
    ['a 1', { name: 'a', labels: {}, value: 1 }],
    ['vllm:x{model_name="a/b",engine="0"} 3.0', { labels: { model_name: 'a/b', engine: '0' }, value: 3 }],
    ['a{} 1e3 1700000000000', { labels: {}, value: 1000 }],
    ['a { b = "c" , d="e", } -.5', { labels: { b: 'c', d: 'e' }, value: -0.5 }],
    ['a_bucket{le="+Inf"} 4 # {trace_id="x}y"} 0.67 1.5e9', { labels: { le: '+Inf' }, value: 4 }],
    [String.raw`a{b="x\"}\\\n"} +Inf`, { labels: { b: 'x"}\\\n' }, value: Number.POSITIVE_INFINITY }],
    ['{"http.status","b.c"="d"} 7', { name: 'http.status', labels: { 'b.c': 'd' }, value: 7 }],
  ])('reads %s', (line, expected) => {
    expect(only(line)).toMatchObject(expected);
  });

  it.each(['a', 'a12', 'a {', 'a{b=c} 1', 'a{b="c} 1', 'a one', 'a 0x10', '1a 2', '{b="c"} 1', '<html>'])(
    'counts %s as unreadable',
    (line) => {
      expect(only(line)).toBeUndefined();
    },
  );

  it('passes over comments, empty lines and what cannot be read, and loses nothing else', () => {
    const page = parseMetrics('# HELP a b\n# TYPE a gauge\r\n\na 1\r\nnonsense here too\nb NaN\n# EOF\n');
    expect(page).toMatchObject({ lines: 2, unreadable: 1 });
    expect(page.samples.map((sample) => sample.name)).toEqual(['a', 'b']);
    expect(page.samples[1]!.value).toBeNaN();
  });

  it('keeps only the metrics asked for, and still counts the lines', () => {
    expect(parseMetrics('a 1\nb{x="y"} 2\n{"a"} 3\n', new Set(['a']))).toMatchObject({
      samples: [
        { name: 'a', value: 1 },
        { name: 'a', value: 3 },
      ],
      lines: 3,
    });
  });

  it('reads back whatever is written by the format, labels of any text included', () => {
    const samples = fc.array(
      fc.record({
        name: fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,20}$/),
        labels: fc.dictionary(
          fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,9}$/),
          fc.string({ unit: 'binary' }),
        ),
        value: fc.double({ noDefaultInfinity: true, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(samples, (written) => {
        const page = written
          .map(({ name, labels, value }) => {
            const inside = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
            return `${name}{${inside.join(',')}} ${value}\n`;
          })
          .join('');
        const expected = written.map((one) => ({ ...one, value: one.value === 0 ? 0 : one.value }));
        const read = parseMetrics(page);
        expect(read.unreadable).toBe(0);
        expect(read.samples.map((one) => ({ ...one, value: one.value === 0 ? 0 : one.value }))).toEqual(
          expected.map((one) => ({ ...one, labels: { ...one.labels } })),
        );
      }),
    );
  });

  it('never throws and never invents, whatever the text', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'ab1{}=",\\ \n#.eInf+-NaN') });
    fc.assert(
      fc.property(letters, (text) => {
        const { samples, lines, unreadable } = parseMetrics(text);
        expect(samples.length).toBe(lines);
        const there = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
        expect(lines + unreadable).toBe(there.length);
      }),
    );
  });

  it("reads the page of the gateway's own metrics library", async () => {
    const registry = new Registry();
    const registers = [registry];
    new Gauge({ name: 'g', help: 'g', labelNames: ['x'], registers }).set({ x: 'a"\\\nb' }, 2);
    new Histogram({ name: 'h', help: 'h', buckets: [1], registers }).observe(0.5);
    const { samples, unreadable } = parseMetrics(await registry.metrics());
    expect(unreadable).toBe(0);
    expect(samples[0]).toEqual({ name: 'g', labels: { x: 'a"\\\nb' }, value: 2 });
    expect(samples.map((sample) => sample.name)).toContain('h_bucket');
  });
});
