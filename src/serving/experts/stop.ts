/** Finds stop sequences in text that comes in pieces, holding back only what may be the beginning of one. */

export interface StopFilter {
  /** The text that may be shown, and whether a stop sequence has come. */
  push(piece: string): { readonly text: string; readonly stopped: boolean };
  /** What was held back, when the text has ended without a stop sequence. */
  flush(): string;
}

export function stopFilter(stops: readonly string[]): StopFilter {
  let held = '';
  return {
    push(piece) {
      held += piece;
      const at = earliest(held, stops);
      if (at >= 0) {
        const text = held.slice(0, at);
        held = '';
        return { text, stopped: true };
      }
      const safe = held.length - longestBeginning(held, stops);
      const text = held.slice(0, safe);
      held = held.slice(safe);
      return { text, stopped: false };
    },
    flush() {
      const text = held;
      held = '';
      return text;
    },
  };
}

function earliest(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length > 0 ? Math.min(...found) : -1;
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
