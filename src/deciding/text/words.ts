/**
 * Splits a text into words as a person sees them: letters between spaces, runs of one script where there are no spaces,
 * runs of punctuation. For names and explanations only.
 */

export interface Word {
  readonly start: number;
  readonly end: number;
  readonly kind: 'word' | 'kana' | 'number' | 'mark' | 'space';
}

const PIECES =
  /([\p{Script=Han}々]+|[\p{Script=Katakana}ー]{2,}|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])\p{L}|\p{M})(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{M}\p{Nd}]|['’](?=\p{L}))*)|([\p{Script=Hiragana}ー]+)|(\p{Nd}+)|([\s\p{Cc}\p{Cf}]+)|([^\s\p{L}\p{M}\p{Nd}\p{Cc}\p{Cf}]+|.)/gsu;

const KINDS = ['word', 'kana', 'number', 'space', 'mark'] as const;

/** Covers the whole text, in order, without gaps. */
export function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(PIECES)) {
    const group = match.findIndex((value, index) => index > 0 && value !== undefined);
    words.push({ start: match.index, end: match.index + match[0].length, kind: KINDS[group - 1] ?? 'mark' });
  }
  return words;
}
