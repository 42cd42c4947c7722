/** Removes an echoed prompt from the beginning of an answer in pieces. */

export interface EchoFilter {
  push(piece: string): string;
  /** What was held back as the beginning of a possible echo. */
  flush(): string;
}

/** @param echoes the longest of these that begins the answer is removed */
export function withoutEcho(echoes: readonly string[]): EchoFilter {
  const candidates = [...new Set(echoes)].filter(Boolean).toSorted((a, b) => b.length - a.length);
  let held: string | null = candidates.length > 0 ? '' : null;
  const settle = (text: string): string => {
    held = null;
    const echo = candidates.find((candidate) => text.startsWith(candidate));
    return echo === undefined ? text : text.slice(echo.length);
  };
  return {
    push(piece) {
      if (held === null) return piece;
      held += piece;
      const text = held;
      const open = candidates.some(
        (candidate) => candidate.length > text.length && candidate.startsWith(text),
      );
      return open ? '' : settle(text);
    },
    flush: () => (held === null ? '' : settle(held)),
  };
}
