/** Finds stop sequences in text that comes in pieces, holding back only what may be the beginning of one. */

export interface StopFilter {
  /** The text that may be shown, and the stop sequence that has come; null for none. */
  push(piece: string): { readonly text: string; readonly stopped: string | null };
  /** What was held back, when the text has ended without a stop sequence. */
  flush(): string;
}

export function stopFilter(stops: readonly string[]): StopFilter {
  let held = '';
  return {
    push(piece) {
      held += piece;
      const first = earliest(held, stops);
      if (first !== null) {
        const text = held.slice(0, first.at);
        held = '';
        return { text, stopped: first.stop };
      }
      const safe = held.length - longestBeginning(held, stops);
      const text = held.slice(0, safe);
      held = held.slice(safe);
      return { text, stopped: null };
    },
    flush() {
      const text = held;
      held = '';
      return text;
    },
  };
}

function earliest(text: string, stops: readonly string[]): { at: number; stop: string } | null {
  let first: { at: number; stop: string } | null = null;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at >= 0 && (first === null || at < first.at)) first = { at, stop };
  }
  return first;
}

/** The length of the longest suffix of `text` that is a prefix of a stop sequence. */
function longestBeginning(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
