/**
 * Turns text into hashed features: words, word pairs, characters within words, character n-grams of scripts
 * without spaces, punctuation runs and shapes of code and numbers.
 */
import { LIMITS } from '../../core/bounds.ts';
import {
  characterTables,
  DENSE,
  DIGIT,
  HANGUL,
  HIRAGANA,
  LETTER,
  MARK,
  SOUTHEAST,
  SPACE,
  SURROGATE,
} from './characters.ts';

/** Changes whenever the features of any text change: a model works only with the features it was trained on. */
export const TOKENIZER = 'features/1';

/** A feature's kind sits in the low three bits of its hash. */
export const WORD = 0;
export const PAIR = 1;
/** Characters within a word of a script with spaces. */
export const CHARACTERS = 2;
/** In scripts without spaces: single characters and anything of hiragana alone, which is mostly grammar. */
export const DENSE_WEAK = 3;
/** Two characters of a script without spaces; three are the next kind. */
export const DENSE_TWO = 4;
/** A run of punctuation or symbols. */
export const MARKS = 6;
/** Numbers by length, indentation, snake_case and camelCase joints. */
export const SHAPE = 7;
export const KINDS = 8;

/** What takes a text's features, in the order of the text. */
export interface FeatureSink {
  clear(): void;
  /** `start` and `end` are those of the term in the text that the feature belongs to. */
  push(hash: number, start: number, end: number): void;
  /**
   * Takes the characters of a whole word.
   * @param units the word in lower case between its edges, `length` of them; reused for the next word
   * @param hash of the word as a feature
   */
  pushCharacters(units: Uint16Array, length: number, hash: number, start: number, end: number): void;
}

const BASIS = 0x811c9dc5 | 0;
const PRIME = 0x01000193;
/** Marks both ends of a word in its character n-grams. */
const EDGE = 0x20;
const SHORTEST_CHARACTERS = 3;
const LONGEST_CHARACTERS = 5;
const LONGEST_MARKS = 3;
/** Letters of a word that are read: a longer one is data, not language. */
const LONGEST_WORD = 40;
/** n-grams of the characters of the longest word with its edges. */
export const MOST_CHARACTERS = 3 * LONGEST_WORD;

const APOSTROPHE = 0x27;
const UNDERSCORE = 0x5f;
const LINE_FEED = 0x0a;
const CURLY_APOSTROPHE = 0x2019;

/** Real text has few marks per letter, and normalising sorts a run of them in quadratic time. */
const MARKS_TOO_MANY = new RegExp(`(\\p{M}{${LIMITS.marks}})\\p{M}+`, 'gu');
/** Room for a single character whose compatibility form is a whole phrase. */
const LEAST_ROOM = 64;

/** Unicode compatibility form, with runs of marks cut. Case is kept, so that camelCase stays visible. */
export function normalise(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII is its own compatibility form, and testing is cheaper
  return /^[\x00-\x7f]*$/.test(text) ? text : normaliseBounded(text);
}

function normaliseBounded(text: string): string {
  const few = mayHaveManyMarks(text) ? text.replace(MARKS_TOO_MANY, '$1') : text;
  const normal = few.normalize('NFKC');
  return normal.slice(0, LIMITS.growth * text.length + LEAST_ROOM);
}

/** Whether the text may have more marks in a row than are read: false is certain, and quickly found. */
function mayHaveManyMarks(text: string): boolean {
  let run = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // No mark is below, and most of Chinese, Japanese and Korean lies between.
    run = unit < 0x0300 || (unit > 0x309a && unit < 0xa66f) || (unit > 0x303f && unit < 0x3099) ? 0 : run + 1;
    if (run > LIMITS.marks) return true;
  }
  return false;
}

/** Mixes the bits of a running hash (murmur3's finaliser) and puts the kind into the low three. */
function finish(hash: number, kind: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return ((h & ~7) | kind) >>> 0;
}

/** Gives the features of a text already through `normalise` to the sink, after clearing it. */
export function extractFeatures(text: string, into: FeatureSink): void {
  into.clear();
  new Reader(text, into).read();
}

/** Hashes of the n-grams of a word with its edges. @returns how many were put into `into`, at most MOST_CHARACTERS */
export function charactersOf(units: Uint16Array, length: number, into: Uint32Array): number {
  let count = 0;
  for (let from = 0; from + SHORTEST_CHARACTERS <= length; from += 1) {
    let hash = BASIS;
    const last = Math.min(from + LONGEST_CHARACTERS, length);
    for (let index = from; index < last; index += 1) {
      hash = Math.imul(hash ^ units[index]!, PRIME);
      if (index - from >= SHORTEST_CHARACTERS - 1) into[count++] = finish(hash, CHARACTERS);
    }
  }
  return count;
}

/** Of the word that is read: one for all texts, since reading is never interrupted. */
const WORD_UNITS = new Uint16Array(LONGEST_WORD + 2);

/**
 * One pass over a text. A class, so that each script's rule is a short method over shared state. Its fields are not
 * `#private`, which made every decision 1 to 2 % slower.
 */
class Reader {
  readonly text: string;
  readonly out: FeatureSink;
  readonly kinds: Uint8Array;
  readonly lower: Uint16Array;
  at = 0;
  /** Hash of the previous word, for the next pair; 0 after a mark or line break. */
  before = 0;
  beforeStart = 0;
  readonly word = WORD_UNITS;

  constructor(text: string, out: FeatureSink) {
    const { kinds, lower } = characterTables();
    this.text = text;
    this.out = out;
    this.kinds = kinds;
    this.lower = lower;
  }

  read(): void {
    const { text, kinds } = this;
    while (this.at < text.length) {
      switch (kinds[text.charCodeAt(this.at)]) {
        case SPACE:
          this.space();
          break;
        case LETTER:
          this.letters();
          break;
        case DIGIT:
          this.digits();
          break;
        case DENSE:
        case HIRAGANA:
          this.run(DENSE, HIRAGANA, 1);
          break;
        case HANGUL:
          this.run(HANGUL, HANGUL, 1);
          break;
        case SOUTHEAST:
          this.run(SOUTHEAST, SOUTHEAST, 2);
          break;
        case SURROGATE:
          this.surrogate();
          break;
        default:
          this.marks();
      }
    }
  }

  /** Only indentation after a line break counts: it is a trait of code and markup. */
  space(): void {
    const { text, kinds } = this;
    let broken = -1;
    while (this.at < text.length && kinds[text.charCodeAt(this.at)] === SPACE) {
      if (text.charCodeAt(this.at) === LINE_FEED) broken = this.at;
      this.at += 1;
    }
    if (broken < 0) return;
    this.before = 0;
    if (this.at - broken > 2 && this.at < text.length) this.shape(1, broken, this.at);
  }

  shape(which: number, start: number, end: number): void {
    this.out.push(finish(Math.imul(BASIS ^ which, PRIME), SHAPE), start, end);
  }

  /**
   * A word: letters and digits after a letter, apostrophes inside; a capital after a small letter starts a new word.
   */
  letters(): void {
    const { text, kinds, lower, word } = this;
    const start = this.at;
    let length = 0;
    let hash = BASIS;
    word[0] = EDGE;
    let wasSmall = false;
    while (this.at < text.length) {
      const unit = text.charCodeAt(this.at);
      const kind = kinds[unit];
      if (kind === LETTER || kind === DIGIT) {
        const small = lower[unit]!;
        if (wasSmall && small !== unit) {
          this.shape(2, start, this.at);
          break;
        }
        wasSmall = small === unit && kind === LETTER;
        if (length < LONGEST_WORD) {
          length += 1;
          word[length] = small;
          hash = Math.imul(hash ^ small, PRIME);
        }
      } else if (!this.isInnerApostrophe(unit)) break;
      this.at += 1;
    }
    word[length + 1] = EDGE;
    const feature = finish(hash, WORD);
    this.out.push(feature, start, this.at);
    this.pair(hash, start);
    this.out.pushCharacters(word, length + 2, feature, start, this.at);
  }

  isInnerApostrophe(unit: number): boolean {
    if (unit !== APOSTROPHE && unit !== CURLY_APOSTROPHE) return false;
    return this.at + 1 < this.text.length && this.kinds[this.text.charCodeAt(this.at + 1)] === LETTER;
  }

  pair(hash: number, start: number): void {
    if (this.before !== 0) {
      this.out.push(finish(Math.imul(this.before, 31) + hash, PAIR), this.beforeStart, this.at);
    }
    this.before = hash;
    this.beforeStart = start;
  }

  /** Numbers count by their length alone: which number it is says nothing about the topic. */
  digits(): void {
    const { text, kinds } = this;
    const start = this.at;
    while (this.at < text.length && kinds[text.charCodeAt(this.at)] === DIGIT) this.at += 1;
    const length = Math.min(this.at - start, 5);
    this.shape(8 + length, start, this.at);
    this.pair(0x23, start);
  }

  /** A run of a script without spaces: n-grams of one or two up to three characters. */
  run(kind: number, along: number, shortest: number): void {
    const { text, kinds, out } = this;
    const start = this.at;
    while (this.at < text.length && this.isEither(kind, along)) this.at += 1;
    for (let from = start; from < this.at; from += 1) {
      let hash = BASIS;
      let weak = true;
      const last = Math.min(from + 3, this.at);
      for (let index = from; index < last; index += 1) {
        const unit = text.charCodeAt(index);
        hash = Math.imul(hash ^ unit, PRIME);
        weak &&= kinds[unit] === HIRAGANA;
        const length = index - from + 1;
        if (length < shortest) continue;
        out.push(finish(hash, weak || length === 1 ? DENSE_WEAK : DENSE_TWO + length - 2), from, index + 1);
      }
    }
    this.before = 0;
  }

  isEither(kind: number, along: number): boolean {
    const own = this.kinds[this.text.charCodeAt(this.at)];
    return own === kind || own === along;
  }

  /** Emoji, rare Han and other characters outside the basic plane: one feature each. */
  surrogate(): void {
    const start = this.at;
    const point = this.text.codePointAt(start) ?? 0;
    this.at += point > 0xffff ? 2 : 1;
    this.out.push(finish(Math.imul(BASIS ^ point, PRIME), MARKS), start, this.at);
    this.before = 0;
  }

  /** A run of punctuation, cut after three: `();`, `==`, `$$`, `</`. */
  marks(): void {
    const { text, kinds } = this;
    const start = this.at;
    let hash = BASIS;
    while (this.at < text.length && this.at - start < LONGEST_MARKS) {
      const unit = text.charCodeAt(this.at);
      if (kinds[unit] !== MARK) break;
      hash = Math.imul(hash ^ unit, PRIME);
      this.at += 1;
    }
    this.out.push(finish(hash, MARKS), start, this.at);
    const joint = this.at - start === 1 && text.charCodeAt(start) === UNDERSCORE;
    if (joint) this.shape(3, start, this.at);
    else this.before = 0;
  }
}
