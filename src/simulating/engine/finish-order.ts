/**
 * Who ends when: sequences in the order of their last steps, those of the same step in the order in which they came. Two
 * sorted arrays, because a batch holds hundreds at most and the next to end is asked for at every step.
 */
import type { Sequence } from './sequence.ts';

/** Places at the front that may be empty before the rest moves up. */
const SLACK = 64;

export class FinishOrder {
  readonly #steps: number[] = [];
  readonly #sequences: Sequence[] = [];
  /** Place of the next to end. */
  #head = 0;

  /** The first last step; Infinity when there is nobody. */
  get firstStep(): number {
    return this.#head < this.#steps.length ? this.#steps[this.#head]! : Number.POSITIVE_INFINITY;
  }

  add(step: number, sequence: Sequence): void {
    let at = this.#steps.length;
    this.#steps.push(step);
    this.#sequences.push(sequence);
    for (; at > this.#head && this.#steps[at - 1]! > step; at--) {
      this.#steps[at] = this.#steps[at - 1]!;
      this.#sequences[at] = this.#sequences[at - 1]!;
    }
    this.#steps[at] = step;
    this.#sequences[at] = sequence;
  }

  /** Takes out whoever ends first; there must be somebody. */
  takeFirst(): Sequence {
    const first = this.#sequences[this.#head]!;
    this.#head += 1;
    if (this.#head === SLACK) this.#moveUp();
    return first;
  }

  /** Takes out a sequence before its end. */
  remove(sequence: Sequence): void {
    this.#moveUp();
    const at = this.#sequences.indexOf(sequence);
    this.#sequences.splice(at, 1);
    this.#steps.splice(at, 1);
  }

  #moveUp(): void {
    this.#steps.copyWithin(0, this.#head);
    this.#sequences.copyWithin(0, this.#head);
    for (; this.#head > 0; this.#head--) {
      this.#steps.pop();
      this.#sequences.pop();
    }
  }
}
