import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from './bounds.ts';
import { JsonMeasure } from './json-measure.ts';

function measured(...pieces: readonly (string | Uint8Array)[]): number {
  const measure = new JsonMeasure();
  for (const piece of pieces) measure.push(Buffer.from(piece as string));
  return measure.tokens;
}

/** Counts by parsing: what the measure must agree with on any JSON. */
function counted(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value);
  const commas = Math.max(0, inner.length - 1);
  const colons = Array.isArray(value) ? 0 : inner.length;
  return inner.reduce((sum: number, one) => sum + counted(one), 1 + commas + colons);
}

describe('JsonMeasure', () => {
  it('counts what a parser finds, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), fc.nat(), (value, first, second) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const [a, b] = [first % (bytes.length + 1), second % (bytes.length + 1)].sort((x, y) => x - y);
        const pieces = [bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b!)];
        expect(measured(...pieces)).toBe(counted(JSON.parse(bytes.toString())));
      }),
    );
  });

  it('finds every top-level member, wherever the bytes are cut', () => {
    const objects = fc.array(fc.tuple(fc.string(), fc.jsonValue()), { maxLength: 8 });
    fc.assert(
      fc.property(objects, fc.nat(), fc.constantFrom('', ' ', '\r\n\t'), (entries, cut, space) => {
        const json = entries.map(([key, value]) => [JSON.stringify(key), JSON.stringify(value)]);
        const text = `${space}{${space}${json.map(([key, value]) => `${key}${space}:${space}${value}${space}`).join(`,${space}`)}}`;
        const bytes = Buffer.from(text);
        const measure = new JsonMeasure();
        measure.push(bytes.subarray(0, cut % (bytes.length + 1)));
        measure.push(bytes.subarray(cut % (bytes.length + 1)));
        const found = measure.members.map(({ keyStart, keyEnd, valueStart, valueEnd }) => [
          bytes.toString('utf8', keyStart, keyEnd),
          bytes.toString('utf8', valueStart, valueEnd).trim(),
        ]);
        expect(found).toEqual(json);
      }),
    );
  });

  it('takes no bracket in a string for structure, though escapes are cut in two', () => {
    const text = String.raw`{"a\\":"[[[\"{{{,,,:::\\","b":1}`;
    expect(measured(text)).toBe(4);
    expect(measured(...text)).toBe(4);
  });

  it('takes nesting up to its limit and refuses one level more', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(measured(nested(LIMITS.depth))).toBe(LIMITS.depth);
    expect(() => measured(nested(LIMITS.depth + 1))).toThrow(/deeper than 512 levels; send a flatter one/);
  });

  it('refuses too many values before it has seen them all', () => {
    const measure = new JsonMeasure();
    measure.push(Buffer.from('{"x":['));
    const piece = Buffer.from(`[${'{},'.repeat(10_000)}0],`);
    let pushed = 0;
    const pushAll = (): void => {
      for (; pushed < 1_000; pushed += 1) measure.push(piece);
    };
    expect(pushAll).toThrow(/more than 2000000 brackets, commas and colons/);
    expect(pushed * 20_000).toBeLessThan(LIMITS.tokens + 20_000);
  });

  it('refuses thousands of top-level members, and takes as many below', () => {
    const members = Array.from({ length: LIMITS.topMembers + 1 }, () => '"model":0').join();
    expect(() => measured(`{${members}}`)).toThrow(/more than 4096 top-level members/);
    expect(measured(`{"a":{${members}}}`)).toBe(3 + 2 * LIMITS.topMembers + 1);
  });
});
