/**
 * Users who ask several times in a row: every question carries the conversation so far, whose blocks engines may still
 * have in their caches.
 */
import type { Lengths } from './lengths.ts';

export interface Turn extends Lengths {
  /** Ids of the whole blocks of the prompt; equal ids are equal text. */
  readonly prefix: { readonly ids: readonly number[]; readonly tokensPerId: number };
}

/** Tokens of one block id. */
const BLOCK_TOKENS = 256;
/** Ids set aside for one conversation: 2^20 blocks of 256 tokens are beyond every context. */
const IDS = 2 ** 20;

interface Conversation {
  readonly first: number;
  turn: number;
  /** Tokens said so far, by both. */
  tokens: number;
}

export class Conversations {
  readonly #turns: number;
  readonly #longest: number;
  readonly #byUser = new Map<number, Conversation>();
  #begun = 0;

  /** @param longest tokens a request may have; a conversation that would exceed them begins anew */
  constructor(turns: number, longest: number) {
    this.#turns = turns;
    this.#longest = longest;
  }

  /** The user's next question, of these lengths by itself. */
  next(user: number, own: Lengths): Turn {
    let c = this.#byUser.get(user);
    const whole = (c?.tokens ?? 0) + own.promptTokens + own.outputTokens;
    if (!c || c.turn >= this.#turns || whole > this.#longest) {
      c = { first: this.#begun++ * IDS, turn: 0, tokens: 0 };
      this.#byUser.set(user, c);
    }
    const promptTokens = c.tokens + own.promptTokens;
    c.turn += 1;
    c.tokens = promptTokens + own.outputTokens;
    const { first } = c;
    const blocks = Math.floor(promptTokens / BLOCK_TOKENS);
    const ids = Array.from({ length: blocks }, (_, i) => first + i);
    return { promptTokens, outputTokens: own.outputTokens, prefix: { ids, tokensPerId: BLOCK_TOKENS } };
  }
}
