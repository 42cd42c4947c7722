/**
 * The sequences that decode together, kept as sums: how many, over how much context, who ends when, who needs
 * a block when. A step costs the same work for one sequence or a thousand.
 */
import { MinHeap } from '../../core/heap.ts';
import type { Sequence } from './sequence.ts';

export class DecodingSet {
  /** Sequences by the step in which they produce their last token; entries of those who left are skipped. */
  readonly #finishing = new MinHeap<Sequence>();
  /** Sequences by the step, modulo the block size, in which they enter a new block. */
  readonly #growth: number[];
  #size = 0;
  #context = 0;
  #step = 0;

  constructor(blockTokens: number) {
    this.#growth = new Array<number>(blockTokens).fill(0);
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
    this.#growth[this.#growthPhase(sequence)]! += 1;
    this.#finishing.push(this.#finishStep(sequence), sequence);
  }

  /** Takes the sequence out and settles what it has generated; the caller gives it its new phase. */
  leave(sequence: Sequence): void {
    this.#growth[this.#growthPhase(sequence)]! -= 1;
    this.#context -= this.contextOf(sequence);
    this.#size -= 1;
    sequence.generated = this.generatedBy(sequence);
    sequence.joinedStep = this.#step;
  }

  /** Every sequence generates `steps` tokens; those that are through have left and are returned. */
  advance(steps: number): readonly Sequence[] {
    this.#step += steps;
    this.#context += steps * this.#size;
    const through: Sequence[] = [];
    for (;;) {
      this.#dropStale();
      if (this.#finishing.minKey > this.#step) return through;
      const sequence = this.#finishing.pop()!;
      this.leave(sequence);
      sequence.phase = 'done';
      through.push(sequence);
    }
  }

  /** Steps until the first of them is through; Infinity when there is none. */
  stepsUntilFinish(): number {
    this.#dropStale();
    return this.#finishing.minKey - this.#step;
  }

  /** Blocks the sequences will have entered after so many more steps. */
  blocksToGrow(steps: number): number {
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

  #finishStep(sequence: Sequence): number {
    return sequence.joinedStep + sequence.request.outputTokens - sequence.generated;
  }

  #growthPhase(sequence: Sequence): number {
    const size = this.#growth.length;
    const own = sequence.request.promptTokens + sequence.generated - 1 - sequence.pinnedTokens;
    return (((sequence.joinedStep - own) % size) + size) % size;
  }

  #dropStale(): void {
    while (this.#finishing.size > 0) {
      const sequence = this.#finishing.peek()!;
      if (sequence.phase === 'decoding' && this.#finishStep(sequence) === this.#finishing.minKey) return;
      this.#finishing.pop();
    }
  }
}
