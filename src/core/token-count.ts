/** Tokens as a server reports them. */

/** More than any answer or prompt has: what a server says beyond is a fault of its own, and nobody is charged for it. */
const MOST_TOKENS = 100_000_000;

/** A whole number of tokens; null for anything that cannot be one. */
export function tokenCount(value: unknown): number | null {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MOST_TOKENS ? Number(value) : null;
}
