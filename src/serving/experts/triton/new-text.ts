/**
 * The texts of successive responses → what is new in each, whether an engine sends only what is new or repeats all it
 * has said so far. It works on bytes, because a response may end within a character.
 */

export interface NewText {
  /** Whether responses repeat the text before them; null until that is known. */
  readonly repeats: boolean | null;
  push(bytes: Buffer): Buffer;
  /** What was held back. Called once, after the last response. */
  finish(): Buffer;
}

const NOTHING = Buffer.alloc(0);
/** U+FFFD in UTF-8: what engines that decode token by token write for a character that is not whole yet. */
const REPLACEMENT = Buffer.from('\uFFFD');

/** @param cumulative whether each response repeats the text before it; null: found out from the texts themselves */
export function newText(cumulative: boolean | null): NewText {
  if (cumulative === null) return guessed();
  return cumulative ? afterRepeated() : { repeats: false, push: (bytes) => bytes, finish: () => NOTHING };
}

/** A replacement character at the end may still become a real one, so it waits for the next response. */
function afterRepeated(): NewText {
  let sent = 0;
  let last: Buffer = NOTHING;
  return {
    repeats: true,
    push(bytes) {
      last = bytes;
      let end = bytes.length;
      while (endsWithReplacement(bytes, end)) end -= REPLACEMENT.length;
      const fresh = bytes.subarray(sent, Math.max(sent, end));
      sent += fresh.length;
      return fresh;
    },
    finish: () => last.subarray(sent),
  };
}

function endsWithReplacement(bytes: Buffer, end: number): boolean {
  const start = end - REPLACEMENT.length;
  return start >= 0 && REPLACEMENT.compare(bytes, start, end) === 0;
}

/** So many different bytes at the start of a response, the same as in the one before, are no coincidence … */
const PROOF = 6;
/** … and if the answer ends before there is proof, so many tip the scales. */
const HINT = 3;

/**
 * As long as every response begins with the one before and goes on, both readings stand, and what they disagree about
 * is held back: at most a few tokens, since a token that begins with the one before it is rare.
 */
function guessed(): NewText {
  const waiting: Buffer[] = [];
  let decided: NewText | null = null;
  const decide = (cumulative: boolean): Buffer => {
    const chosen = newText(cumulative);
    decided = chosen;
    const fresh = Buffer.concat(waiting.map((bytes) => chosen.push(bytes)));
    return fresh.subarray(waiting[0]?.length ?? 0); // the first was sent when it came
  };
  return {
    get repeats() {
      return decided?.repeats ?? null;
    },
    push(bytes) {
      if (decided) return decided.push(bytes);
      if (bytes.length === 0) return NOTHING;
      const before = waiting.at(-1);
      waiting.push(bytes);
      if (!before) return bytes;
      if (!goesOn(before, bytes)) return decide(false);
      return different(before) >= PROOF ? decide(true) : NOTHING;
    },
    finish() {
      if (decided) return decided.finish();
      const before = waiting.at(-2);
      if (!before) return NOTHING;
      const rest = decide(different(before) >= HINT);
      return Buffer.concat([rest, decided!.finish()]);
    },
  };
}

function goesOn(before: Buffer, bytes: Buffer): boolean {
  return bytes.length > before.length && bytes.subarray(0, before.length).equals(before);
}

function different(bytes: Buffer): number {
  return new Set(bytes).size;
}
