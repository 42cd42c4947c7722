/** Quotes foreign text in our own messages: short, on one line. */
import { LIMITS } from './bounds.ts';

/** At most `LIMITS.echo` characters, ending in an ellipsis if the text is longer; control characters become spaces. */
export function excerpt(text: string): string {
  const cut = text.length > LIMITS.echo ? `${text.slice(0, LIMITS.echo - 1)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, ' ');
}
