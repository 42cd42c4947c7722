/**
 * The sequences that decode together, kept as sums: how many, over how much context, who ends when, who needs
 * a block when. A step costs the same work for one sequence or a thousand.
 */
import { FinishOrder } from './finish-order.ts';
import type { Sequence } from './sequence.ts';

/** Nobody, for the many steps in which nobody ends. Never changed. */
const NONE: Sequence[] = [];

export class DecodingSet {
  /** By the step in which they produce their last token. */
  readonly #finishing = new FinishOrder();
  /** Sequences by the step, modulo the block size, in which they enter a new block. Null where room is reserved. */
  readonly #growth: number[] | null;
  #size = 0;
  #context = 0;
  #step = 0;

  /** @param blockTokens 0 where nobody asks for `blocksToGrow` */
  constructor(blockTokens: number) {
    this.#growth = blockTokens > 0 ? new Array<number>(blockTokens).fill(0) : null;
  }

  get size(): number {
    return this.#size;
  }

  /** Tokens in the cache of all sequences together. */
  get context(): number {
    return this.#context;
  }

  join(sequence: Sequence): void {
    sequence.phase = 'decoding';
    sequence.joinedStep = this.#step;
    this.#size += 1;
    this.#context += this.contextOf(sequence);
    this.#grow(sequence, 1);
    this.#finishing.add(this.#step + sequence.request.outputTokens - sequence.generated, sequence);
  }

  /** Takes a sequence out before its end; the caller gives it its new phase. */
  leave(sequence: Sequence): void {
    this.#finishing.remove(sequence);
    this.#settle(sequence);
  }

  /** Takes the sequence out and settles what it has generated. */
  #settle(sequence: Sequence): void {
    this.#grow(sequence, -1);
    this.#context -= this.contextOf(sequence);
    this.#size -= 1;
    sequence.generated = this.generatedBy(sequence);
    sequence.joinedStep = this.#step;
  }

  /** Every sequence generates `steps` tokens; those that are through have left and are returned. */
  advance(steps: number): readonly Sequence[] {
    this.#step += steps;
    this.#context += steps * this.#size;
    let through = NONE;
    while (this.#finishing.firstStep <= this.#step) {
      const sequence = this.#finishing.takeFirst();
      this.#settle(sequence);
      sequence.phase = 'done';
      if (through === NONE) through = [sequence];
      else through.push(sequence);
    }
    return through;
  }

  /** Steps until the first of them is through; Infinity when there is none. */
  stepsUntilFinish(): number {
    return this.#finishing.firstStep - this.#step;
  }

  /** Blocks the sequences will have entered after so many more steps. */
  blocksToGrow(steps: number): number {
    if (!this.#growth) return 0;
    const size = this.#growth.length;
    let blocks = Math.floor(steps / size) * this.#size;
    for (let i = 0; i < steps % size; i++) blocks += this.#growth[(this.#step + i) % size]!;
    return blocks;
  }

  generatedBy(sequence: Sequence): number {
    return sequence.generated + (sequence.phase === 'decoding' ? this.#step - sequence.joinedStep : 0);
  }

  /** Tokens in the cache: the prompt and all generated tokens but the newest, which enters with the next step. */
  contextOf(sequence: Sequence): number {
    return sequence.request.promptTokens + this.generatedBy(sequence) - 1;
  }

  #grow(sequence: Sequence, by: 1 | -1): void {
    if (!this.#growth) return;
    const size = this.#growth.length;
    const own = sequence.request.promptTokens + sequence.generated - 1 - sequence.pinnedTokens;
    this.#growth[(((sequence.joinedStep - own) % size) + size) % size]! += by;
  }
}
