/** Foreign text inside a message of ours: short, on one line. It knows nothing of who reads it. */
import { LIMITS } from './bounds.ts';

/** At most `LIMITS.echo` characters, the last an ellipsis where more was there; control characters become spaces. */
export function excerpt(text: string): string {
  const cut = text.length > LIMITS.echo ? `${text.slice(0, LIMITS.echo - 1)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, ' ');
}
