/** Two flat tables over UTF-16 code units: the kind of writing a unit belongs to, and its lower-case form. */

export const SPACE = 0;
/** Letters of scripts that put spaces between words: Latin, Greek, Cyrillic, Arabic, Devanagari and so on. */
export const LETTER = 1;
export const DIGIT = 2;
/** Han and katakana: written without spaces; a single character carries much meaning. */
export const DENSE = 3;
export const HANGUL = 4;
/** Thai, Lao, Khmer, Burmese: written without spaces; a single character carries little meaning. */
export const SOUTHEAST = 5;
export const MARK = 6;
export const SURROGATE = 7;
/** Hiragana forms runs with Han and katakana; on its own it is mostly grammatical. */
export const HIRAGANA = 8;

export interface CharacterTables {
  /** One of the constants above for each code unit. */
  readonly kinds: Uint8Array;
  /** The lower-case code unit; the unit itself if its lower-case form needs more than one. */
  readonly lower: Uint16Array;
}

const UNITS = 0x10000;
const LAST_CASED_BLOCK = 0x2def;

let tables: CharacterTables | undefined;

/** Built on first use (about 5 ms) and kept. */
export function characterTables(): CharacterTables {
  tables ??= buildTables();
  return tables;
}

function buildTables(): CharacterTables {
  const kinds = new Uint8Array(UNITS).fill(MARK);
  const lower = new Uint16Array(UNITS);
  const letter = /[\p{L}\p{M}]/u;
  const digit = /\p{Nd}/u;
  const space = /[\s\p{Cc}\p{Cf}]/u;
  for (let unit = 0; unit < UNITS; unit += 1) {
    lower[unit] = unit;
    const fixed = kindByBlock(unit);
    const character = String.fromCharCode(unit);
    if (fixed !== undefined) kinds[unit] = fixed;
    else if (letter.test(character)) kinds[unit] = LETTER;
    else if (digit.test(character)) kinds[unit] = DIGIT;
    else if (space.test(character)) kinds[unit] = SPACE;
    if (unit <= LAST_CASED_BLOCK && kinds[unit] === LETTER) {
      const folded = character.toLowerCase();
      if (folded.length === 1) lower[unit] = folded.charCodeAt(0);
    }
  }
  return { kinds, lower };
}

/**
 * Kinds decided by Unicode block alone: first unit, last unit, kind; a later row overrides an earlier one. The middle
 * dot and the double hyphen end a run, because they separate katakana words; variation selectors only modify emoji.
 */
const BLOCKS: readonly (readonly [number, number, number])[] = [
  [0x0e00, 0x0eff, SOUTHEAST],
  [0x0e3f, 0x0e3f, MARK],
  [0x1000, 0x109f, SOUTHEAST],
  [0x1100, 0x11ff, HANGUL],
  [0x1780, 0x17ff, SOUTHEAST],
  [0x3005, 0x3007, DENSE],
  [0x3041, 0x309f, HIRAGANA],
  [0x30a0, 0x312f, DENSE],
  [0x30a0, 0x30a0, MARK],
  [0x30fb, 0x30fb, MARK],
  [0x3400, 0x9fff, DENSE],
  [0xac00, 0xd7af, HANGUL],
  [0xd800, 0xdfff, SURROGATE],
  [0xf900, 0xfaff, DENSE],
  [0xfe00, 0xfe0f, SPACE],
];

function kindByBlock(unit: number): number | undefined {
  return BLOCKS.findLast(([first, last]) => unit >= first && unit <= last)?.[2];
}
