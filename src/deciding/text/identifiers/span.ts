/** What identifies a person in a text, and where. */

/** What an identifier may be, in the order of precedence: of two that overlap, the earlier kind counts. */
export const IDENTIFIERS = ['url', 'email', 'network', 'id', 'date', 'address', 'phone', 'name'] as const;

export type Identifier = (typeof IDENTIFIERS)[number];

export interface Span {
  readonly kind: Identifier;
  /** UTF-16 units from the beginning of the text; `end` is the first after it. */
  readonly start: number;
  readonly end: number;
}

/** Finds identifiers of some kinds in a text whose full-width characters are half-width. Takes linear time. */
export type Recogniser = (text: string) => readonly Span[];

/** The matches of a global expression as spans, or what `narrow` makes of each: a shorter text within it, or nothing. */
export function spansOf(
  kind: Identifier,
  text: string,
  expression: RegExp,
  narrow: (match: string, groups: RegExpExecArray) => string | null = (match) => match,
): Span[] {
  const spans: Span[] = [];
  for (const found of text.matchAll(expression)) {
    const kept = narrow(found[0], found as RegExpExecArray);
    if (kept === null || kept === '') continue;
    // What follows a cue stands at the end, and what is cut short at the beginning.
    const within = found[0].startsWith(kept) ? 0 : found[0].lastIndexOf(kept);
    const start = found.index + within;
    spans.push({ kind, start, end: start + kept.length });
  }
  return spans;
}
