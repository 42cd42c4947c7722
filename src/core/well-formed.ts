/** Handles lone surrogates, which UTF-8 cannot encode. */

const HIGH_SURROGATE_END = /[\uD800-\uDBFF]$/;

/** Lone surrogates become U+FFFD, as with `String.prototype.toWellFormed`. */
export function wellFormed(text: string): string {
  return /[\uD800-\uDFFF]/.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;
}

/** Splits off a trailing half of a surrogate pair, whose other half may come with the next piece. */
export function splitAtCodePoint(text: string): { whole: string; rest: string } {
  if (!HIGH_SURROGATE_END.test(text)) return { whole: text, rest: '' };
  return { whole: text.slice(0, -1), rest: text.slice(-1) };
}
