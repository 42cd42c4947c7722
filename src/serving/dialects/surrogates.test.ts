import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wellFormed } from '../../core/well-formed.ts';
import { withoutHalfSurrogates } from './surrogates.ts';

const cleaned = (json: string): string => withoutHalfSurrogates(Buffer.from(json)).toString();

it('replaces halves, and neither pairs nor text that looks like them', () => {
  expect(cleaned(String.raw`["\ud83d","\ud83d\ude00","\uDE00\ud83d","\\ud83d","\\\ud83d"]`)).toBe(
    String.raw`["\ufffd","\ud83d\ude00","\ufffd\ufffd","\\ud83d","\\\ufffd"]`,
  );
});

it('leaves a body without halves as it is, to the byte', () => {
  const body = Buffer.from(String.raw`{ "a":"\ud83d\ude00 😀 \\ud83d" }`);
  expect(withoutHalfSurrogates(body)).toBe(body);
});

it('means the same as making each text well-formed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('\ud83d', '\ude00', '\\', '"', 'ud83d', 'é', '😀') })),
      (texts) => {
        expect(JSON.parse(cleaned(JSON.stringify(texts)))).toEqual(texts.map(wellFormed));
      },
    ),
  );
});
