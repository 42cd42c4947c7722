/** The text of an emulated expert, word by word: a pure function of the prompt. */
import { seededRandom } from '../../../core/random.ts';
import type { FinishReason } from '../../reply/reply.ts';
import { stopFilter } from '../stop.ts';

const QUOTED = 200;

export function emulatedText(expert: string, prompt: string): string {
  const length = characterCount(prompt);
  const quote = length > QUOTED ? `${[...prompt.slice(0, 2 * QUOTED)].slice(0, QUOTED).join('')}…` : prompt;
  return (
    `[emulated answer by expert ${expert}: no language model was asked. ` +
    `The prompt has ${length} characters and reads: ${quote}]`
  );
}

/** Code points. */
function characterCount(text: string): number {
  let pairs = 0;
  for (let at = 1; at < text.length; at += 1)
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800)
      pairs += 1;
  return text.length - pairs;
}

/** Splits a text into words, each with the white space after it. */
export function words(text: string): readonly string[] {
  return text.match(/\s*\S+\s*|\s+/gu) ?? [];
}

/** How many words `words` gives, without making them. */
export function wordCount(text: string): number {
  const finder = /\S+|^\s+$/gu;
  let count = 0;
  while (finder.test(text)) count += 1;
  return count;
}

const FILLER =
  'again all and another as at before but by every few for from in is it like long many more most never no of on once only or other over same so some such than that the then there this through to under until up was when while with within words'
    .split(' ')
    .map((word) => `${word} `);

/** Exactly `count` words: the emulated text, then filler. The same for the same prompt and seed. */
export function emulatedWords(
  expert: string,
  prompt: string,
  count: number,
  seed: number,
): readonly string[] {
  const said = words(emulatedText(expert, prompt)).slice(0, count);
  if (said.length === count) return said;
  const random = seededRandom(hash(prompt) ^ seed);
  const last = `${said.at(-1)} `;
  const filler = Array.from({ length: count - said.length }, () => FILLER[random.below(FILLER.length)]!);
  return [...said.slice(0, -1), last, ...filler];
}

/** FNV-1a over UTF-16 units. */
export function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state >>> 0;
}

export interface Emulation {
  /** Cut at the limit and before a stop sequence. */
  readonly pieces: readonly string[];
  readonly tokens: number;
  readonly finishReason: FinishReason;
  /** At which it stopped. */
  readonly stopText?: string;
}

export function emulate(text: string, maxTokens: number | undefined, stop: readonly string[]): Emulation {
  return say(words(text), maxTokens, stop);
}

/** As `emulate`, for a text that is already in words. */
export function say(
  all: readonly string[],
  maxTokens: number | undefined,
  stop: readonly string[],
): Emulation {
  const filter = stopFilter(stop);
  const pieces: string[] = [];
  let tokens = 0;
  for (const word of all.slice(0, maxTokens)) {
    tokens += 1;
    const shown = filter.push(word);
    if (shown.text) pieces.push(shown.text);
    if (shown.stopped !== null) return { pieces, tokens, finishReason: 'stop', stopText: shown.stopped };
  }
  const held = filter.flush();
  if (held) pieces.push(held);
  return { pieces, tokens, finishReason: tokens < all.length ? 'length' : 'stop' };
}
