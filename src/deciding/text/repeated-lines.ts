/**
 * Lines that a program puts into every message beside what a person asks: found by repetition, where no table knows the
 * program. Nothing of the text is kept but hashes, in bounded memory.
 */
import { asks } from './persons-words.ts';

/** Different messages of one caller in which a line stands until it counts as the program's. */
const REPETITIONS = 12;
/** Lines of which something is remembered; the least recently seen are forgotten. */
const MOST_LINES = 8_192;
/** Lines of one message that are looked at, half of them from its end. */
const LINES_READ = 200;
/** Shorter lines say nothing of the subject. */
const SHORTEST = 4;
/** Words that must be left for the person. */
const LEAST_WORDS = 3;

export interface SplitMessage {
  /** What differs from message to message, and every line that asks for something. */
  readonly own: string;
  readonly repeated: string;
}

export class RepeatedLines {
  /** By line, hashes of different messages that it stood in. */
  readonly #seen = new Map<number, number[]>();

  /**
   * Takes what programs put into every message apart, and remembers this message's lines.
   * @param message of bounded length: every character is hashed
   * @param whose the caller: nobody's lines say anything of others' messages
   * @returns null where nothing is repeated, or nothing else is left
   */
  read(message: string, whose: string): SplitMessage | null {
    if (!message.includes('\n')) return null;
    const lines = message.split('\n');
    const edge = LINES_READ / 2;
    const whole = hashOf(message, whose);
    const own: string[] = [];
    const repeated: string[] = [];
    lines.forEach((line, at) => {
      const looked = at < edge || at >= lines.length - edge;
      if (looked && this.#isRepeated(line.trim(), whose, whole)) repeated.push(line);
      else own.push(line);
    });
    const rest = own.join('\n').trim();
    if (repeated.length === 0 || wordsIn(rest) < LEAST_WORDS) return null;
    return { own: rest, repeated: repeated.join('\n') };
  }

  #isRepeated(line: string, whose: string, whole: number): boolean {
    if (line.length < SHORTEST) return false;
    const key = hashOf(line, whose);
    const messages = this.#seen.get(key) ?? [];
    this.#seen.delete(key);
    this.#seen.set(key, messages);
    if (this.#seen.size > MOST_LINES) this.#seen.delete(this.#seen.keys().next().value!);
    if (messages.length < REPETITIONS) {
      if (!messages.includes(whole)) messages.push(whole);
      return false;
    }
    return !asks(line);
  }
}

/** About two characters a word where words are not separated. */
function wordsIn(text: string): number {
  return (text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{2}|[\p{L}\p{N}]+/gu) ?? [])
    .length;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string, whose: string): number {
  let hash = 0x811c9dc5;
  for (const part of [whose, text])
    for (let at = 0; at < part.length; at += 1) hash = Math.imul(hash ^ part.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
