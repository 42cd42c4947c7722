import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FeatureBuffer } from './feature-buffer.ts';
import { CHARACTERS, DENSE_TWO, extractFeatures, MARKS, normalise, PAIR, SHAPE, WORD } from './features.ts';

function spans(text: string, kind: number): string[] {
  const buffer = new FeatureBuffer(true);
  const read = normalise(text);
  extractFeatures(read, buffer);
  const found: string[] = [];
  for (let index = 0; index < buffer.length; index += 1) {
    if ((buffer.hashes[index]! & 7) === kind)
      found.push(read.slice(buffer.starts[index], buffer.ends[index]));
  }
  return found;
}

function hashes(text: string): number[] {
  const buffer = new FeatureBuffer();
  extractFeatures(normalise(text), buffer);
  return [...buffer.hashes.subarray(0, buffer.length)];
}

describe('features', () => {
  it('are words and pairs of neighbours, not across punctuation', () => {
    expect(spans('Bake bread. Don’t burn it', WORD)).toEqual(['Bake', 'bread', 'Don’t', 'burn', 'it']);
    expect(spans('Bake bread. Slice it', PAIR)).toEqual(['Bake bread', 'Slice it']);
  });

  it('do not depend on case or on the Unicode form', () => {
    expect(hashes('Straße ＡＢＣ café')).toEqual(hashes('straße abc cafe\u0301'));
  });

  it('take identifiers apart and remember how they were joined', () => {
    expect(spans('getUserName user_name', WORD)).toEqual(['get', 'User', 'Name', 'user', 'name']);
    expect(spans('getUserName user_name', SHAPE)).toHaveLength(3);
  });

  it('read scripts without spaces by their characters', () => {
    expect(spans('東京都', DENSE_TWO)).toEqual(['東京', '京都']);
    expect(spans('東京都', WORD)).toEqual([]);
    expect(spans('สวัสดี', CHARACTERS)).toEqual([]);
    expect(hashes('สวัสดี').length).toBeGreaterThan(3);
  });

  it('keep punctuation of code and each emoji', () => {
    expect(spans('f(); a == b', MARKS)).toEqual(['();', '==']);
    expect(spans('🎉🚀', MARKS)).toEqual(['🎉', '🚀']);
  });

  it('never normalise a long run of combining marks, which takes quadratic time', () => {
    const normalised = vi.spyOn(String.prototype, 'normalize');
    normalise(`a${'\u0301'.repeat(6_143)}${'\u0323'.repeat(6_144)}b`);
    const [text] = normalised.mock.contexts as unknown as string[];
    normalised.mockRestore();
    expect(String(text)).toBe(`a${'\u0301'.repeat(30)}b`);
    const thirty = `a${'\u0301'.repeat(30)} e${'\u0323'.repeat(30)}`;
    expect(normalise(thirty)).toBe(thirty.normalize('NFKC'));
  });

  it('are of a text that grows in its compatibility form little longer than it', () => {
    const phrase = '\ufdfa'; // one character, eighteen in its compatibility form
    expect(normalise(phrase)).toBe(phrase.normalize('NFKC'));
    expect(normalise(phrase.repeat(12_288))).toHaveLength(2 * 12_288 + 64);
  });

  it('are found in any text at all, lone surrogates included, without throwing', () => {
    const buffer = new FeatureBuffer(true);
    const anyUnits = fc
      .array(fc.integer({ min: 0, max: 0xffff }))
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(fc.oneof(anyUnits, fc.string({ unit: 'binary' })), (text) => {
        const read = normalise(text);
        extractFeatures(read, buffer);
        const indexes = Array.from({ length: buffer.length }, (_, index) => index);
        const sound = (index: number): boolean =>
          buffer.starts[index]! < buffer.ends[index]! && buffer.ends[index]! <= read.length;
        expect(indexes.every(sound)).toBe(true);
      }),
    );
  });
});
