/**
 * A simple engine: prompts are prefilled one after another, answers are decoded in a batch that slows down as it fills,
 * and requests queue while the batch or the KV cache is full.
 */
import { Fifo } from '../../core/fifo.ts';
import type { EngineState, Job, Pacer, Ticket } from './pacer.ts';
import type { Task, TimerWheel } from './timer-wheel.ts';

export interface SimpleCosts {
  /** Time to the first token on an idle engine, excluding prefill. */
  readonly firstTokenMs: number;
  /** Prompt tokens prefilled per second; a server's prompts are prefilled one after another. */
  readonly prefillPerSecond: number;
  /** Time between two tokens of one answer, alone and in a full batch; linear in between. */
  readonly perTokenMs: { readonly alone: number; readonly full: number };
  readonly maxBatch: number;
  /** Tokens the KV cache holds; a request reserves its prompt and its whole answer. */
  readonly kvTokens: number;
}

export class SimplePacer implements Pacer {
  readonly #costs: SimpleCosts;
  readonly #wheel: TimerWheel;
  readonly #now: () => number;
  readonly #waiting = new Fifo<Sequence>();
  #running = 0;
  #kvTokens = 0;
  /** When the prefill of all admitted prompts ends. */
  #prefillFree = 0;

  constructor(costs: SimpleCosts, wheel: TimerWheel, now: () => number) {
    this.#costs = costs;
    this.#wheel = wheel;
    this.#now = now;
  }

  submit(job: Job): Ticket | null {
    if (job.promptTokens + job.outputTokens > this.#costs.kvTokens) return null;
    const sequence = new Sequence(job, this.#next);
    this.#waiting.push(sequence);
    this.#admit();
    return { withdraw: () => this.#withdraw(sequence) };
  }

  state(): EngineState {
    return {
      running: this.#running,
      waiting: this.#waiting.size,
      kvTokens: this.#kvTokens,
      kvCapacity: this.#costs.kvTokens,
    };
  }

  /** Milliseconds to the next token in a batch of the current size. */
  #perToken(): number {
    const { perTokenMs, maxBatch } = this.#costs;
    const fullness = maxBatch > 1 ? (this.#running - 1) / (maxBatch - 1) : 0;
    return perTokenMs.alone + (perTokenMs.full - perTokenMs.alone) * fullness;
  }

  #admit(): void {
    for (;;) {
      const sequence = this.#waiting.peek();
      if (!sequence || this.#running >= this.#costs.maxBatch) return;
      if (this.#kvTokens + sequence.kvTokens > this.#costs.kvTokens) return;
      this.#waiting.shift();
      sequence.admitted = true;
      this.#running += 1;
      this.#kvTokens += sequence.kvTokens;
      const read = (sequence.job.promptTokens / this.#costs.prefillPerSecond) * 1000;
      this.#prefillFree = Math.max(this.#prefillFree, this.#now()) + read;
      this.#wheel.schedule(sequence, this.#prefillFree + this.#costs.firstTokenMs);
    }
  }

  /**
   * A token is due one step after the previous one was due, not after it was sent, so that ticks do not slow the pace;
   * if steps are shorter than ticks, several are sent in one.
   */
  readonly #next = (sequence: Sequence, now: number): void => {
    let due = sequence.due;
    do {
      sequence.left -= 1;
      due += this.#perToken();
      sequence.job.token();
      if (sequence.dead) return;
      if (sequence.left === 0) {
        this.#withdraw(sequence);
        return;
      }
    } while (due <= now);
    this.#wheel.schedule(sequence, due);
  };

  #withdraw(sequence: Sequence): void {
    if (sequence.dead) return;
    sequence.dead = true;
    if (sequence.admitted) {
      this.#running -= 1;
      this.#kvTokens -= sequence.kvTokens;
    } else this.#waiting.remove((one) => one === sequence);
    this.#admit();
  }
}

/** Makes engines with these costs, one per server. */
export function simpleEngine(costs: SimpleCosts): (wheel: TimerWheel, now: () => number) => Pacer {
  return (wheel, now) => new SimplePacer(costs, wheel, now);
}

class Sequence implements Task {
  due = 0;
  dead = false;
  admitted = false;
  left: number;
  readonly job: Job;
  readonly kvTokens: number;
  readonly #next: (sequence: Sequence, now: number) => void;

  constructor(job: Job, next: (sequence: Sequence, now: number) => void) {
    this.job = job;
    this.left = job.outputTokens;
    this.kvTokens = job.promptTokens + job.outputTokens;
    this.#next = next;
  }

  run(now: number): void {
    this.#next(this, now);
  }
}
