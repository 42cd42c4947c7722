/**
 * In-flight batching (iteration-level scheduling: Orca, Yu et al., OSDI 2022) with chunked prefill (Sarathi-Serve,
 * Agrawal et al., OSDI 2024): says what the next step contains, and takes note of its end.
 */
import { Fifo } from '../../core/fifo.ts';
import type { StepLoad } from '../cost/step.ts';
import { DecodingSet } from './decoding.ts';
import type { KvCache } from './kv-cache.ts';
import { type GenerationRequest, newSequence, renewed, type Sequence } from './sequence.ts';

/**
 * `guaranteed-no-evict`: room for prompt and whole output is reserved at admission (TensorRT-LLM's default).
 * `optimistic`: room for the prompt only; when blocks run out the latest arrival is preempted and recomputed (vLLM).
 */
export type AdmissionRule = 'guaranteed-no-evict' | 'optimistic';

export interface SchedulerLimits {
  readonly maxBatch: number;
  readonly maxTokens: number;
  readonly admission: AdmissionRule;
  /** Whether a prompt may be split over steps; otherwise it waits until a step has room for all of it. */
  readonly chunkedPrefill: boolean;
}

/**
 * The content of the next step. `steps` > 1 says that so many identical decode steps follow one another. A scheduler has
 * one, which holds until it is asked for the next: millions of them would be garbage.
 */
export interface Plan {
  readonly load: StepLoad;
  readonly steps: number;
}

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

const EMPTY: StepLoad = {
  decodeSequences: 0,
  decodeContext: 0,
  prefillTokens: 0,
  prefillSequences: 0,
  prefillPairs: 0,
  logitRows: 0,
};

/** A request that runs, and the tokens it has generated. */
export interface Progress {
  readonly request: GenerationRequest;
  readonly generated: number;
}

/** Holds until the next step is completed. */
export interface StepEvents {
  readonly firstTokens: readonly GenerationRequest[];
  readonly finished: readonly GenerationRequest[];
}

export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #cache: KvCache;
  readonly #waiting = new Fifo<Sequence>();
  readonly #decoding: DecodingSet;
  readonly #prefilling: Sequence[] = [];
  /** Admitted sequences, in no order; each knows its place. */
  readonly #running: Sequence[] = [];
  #admitted = 0;
  /** Sequences of answered requests: their memory is near, and no garbage. */
  readonly #spare: Sequence[] = [];
  #preemptions = 0;
  readonly #load: Writable<StepLoad> = { ...EMPTY };
  readonly #plan: Writable<Plan> = { load: this.#load, steps: 0 };
  readonly #events: Writable<StepEvents> = { firstTokens: NOBODY, finished: NOBODY };

  constructor(limits: SchedulerLimits, cache: KvCache) {
    this.#limits = limits;
    this.#cache = cache;
    this.#decoding = new DecodingSet(limits.admission === 'optimistic' ? cache.blockTokens : 0);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running.length;
  }

  get preemptions(): number {
    return this.#preemptions;
  }

  enqueue(request: GenerationRequest): void {
    const spare = this.#spare.pop();
    this.#waiting.push(spare ? renewed(spare, request) : newSequence(request));
  }

  /** Whether a request could ever run here, alone. */
  canEverRun(request: GenerationRequest): boolean {
    const tokens = request.promptTokens + request.outputTokens;
    const fits = this.#cache.blocksFor(tokens) <= this.#cache.capacity;
    return fits && (this.#limits.chunkedPrefill || request.promptTokens <= this.#limits.maxTokens);
  }

  /** The requests that run, and the tokens each has generated as of the last completed plan. */
  *progress(): Generator<Progress> {
    for (const sequence of this.#running)
      yield { request: sequence.request, generated: this.#decoding.generatedBy(sequence) };
  }

  /** The requests that wait to be admitted. */
  *queue(): Generator<GenerationRequest> {
    for (const { request } of this.#waiting) yield request;
  }

  /** What the next step contains, after admitting whom it can; null when there is nothing to do. */
  plan(): Plan | null {
    const preempted = this.#growOrPreempt();
    let budget = this.#limits.maxTokens - this.#decoding.size;
    for (const sequence of this.#prefilling) budget -= giveChunk(sequence, budget);
    // A preempted sequence comes first again; admitting others in its step would evict it once more.
    if (!preempted) this.#admit(budget);
    this.#measure();
    const { prefillSequences, decodeSequences } = this.#load;
    if (prefillSequences === 0 && decodeSequences === 0) return null;
    this.#plan.steps = prefillSequences > 0 ? 1 : this.#identicalSteps();
    return this.#plan;
  }

  /** Takes note that `steps` steps of the plan have ended. Fewer than planned is allowed for decode-only plans. */
  complete(plan: Plan, steps: number): StepEvents {
    const events = this.#events;
    events.finished = NOBODY;
    events.firstTokens = NOBODY;
    if (this.#limits.admission === 'optimistic') this.#cache.take(this.#decoding.blocksToGrow(steps));
    for (const sequence of this.#decoding.advance(steps)) {
      events.finished = and(events.finished, this.#answered(sequence));
    }
    if (plan.load.prefillSequences === 0) return events;
    for (const sequence of this.#prefilling) {
      sequence.prefilled += sequence.chunk;
      sequence.chunk = 0;
      if (sequence.prefilled < sequence.target) continue;
      if (sequence.generated === 0) events.firstTokens = and(events.firstTokens, sequence.request);
      sequence.generated += 1;
      if (sequence.generated < sequence.request.outputTokens) this.#decoding.join(sequence);
      else {
        sequence.phase = 'done';
        events.finished = and(events.finished, this.#answered(sequence));
      }
    }
    this.#keepPrefilling();
    return events;
  }

  #keepPrefilling(): void {
    const list = this.#prefilling;
    let kept = 0;
    for (const sequence of list) if (sequence.phase === 'prefilling') list[kept++] = sequence;
    // A length set to 0 would drop the array's memory, for every prompt anew.
    while (list.length > kept) list.pop();
  }

  /** Takes a request out, wherever it is. False when it is not here (any more). */
  cancel(id: number): boolean {
    const sequence = this.#running.find(({ request }) => request.id === id);
    if (!sequence) return this.#waiting.remove((waiting) => waiting.request.id === id);
    this.#stop(sequence, 'done');
    return true;
  }

  #admit(budget: number): void {
    let left = budget;
    while (this.#running.length < this.#limits.maxBatch && left > 0) {
      const sequence = this.#waiting.peek();
      if (!sequence || !this.#canAdmit(sequence, left)) return;
      this.#waiting.shift();
      this.#start(sequence);
      left -= giveChunk(sequence, left);
    }
  }

  #canAdmit(sequence: Sequence, budget: number): boolean {
    const whole = sequence.target - this.#reusable(sequence);
    if (!this.#limits.chunkedPrefill && whole > budget) return false;
    const { prefix } = sequence.request;
    const blocks = this.#blocksAtStart(sequence) + (prefix ? this.#cache.pinCost(prefix) : 0);
    // vLLM keeps 1 % free so that an admission is not followed by a preemption at once.
    const keepFree =
      this.#limits.admission === 'optimistic' && this.#running.length > 0
        ? Math.ceil(0.01 * this.#cache.capacity) + this.#decoding.blocksToGrow(1)
        : 0;
    return this.#cache.canTake(blocks + keepFree);
  }

  #blocksAtStart({ request, target }: Sequence): number {
    const reserve = this.#limits.admission === 'guaranteed-no-evict';
    const tokens = reserve ? request.promptTokens + request.outputTokens : target;
    return this.#cache.blocksFor(Math.max(0, tokens - shareable(request)));
  }

  /** Prompt tokens found in the cache. At least one token is always computed: it gives the next one. */
  #reusable({ request, target }: Sequence): number {
    if (!request.prefix) return 0;
    return Math.min(this.#cache.match(request.prefix) * request.prefix.tokensPerId, target - 1);
  }

  #start(sequence: Sequence): void {
    const { request } = sequence;
    sequence.prefilled = this.#reusable(sequence);
    sequence.ownBlocks = this.#blocksAtStart(sequence);
    if (request.prefix) this.#cache.pin(request.prefix);
    sequence.pinnedTokens = shareable(request);
    this.#cache.take(sequence.ownBlocks);
    sequence.phase = 'prefilling';
    this.#prefilling.push(sequence);
    sequence.admission = this.#admitted++;
    sequence.place = this.#running.length;
    this.#running.push(sequence);
  }

  /** Takes an admitted sequence out before its end. */
  #stop(sequence: Sequence, phase: 'done' | 'waiting'): void {
    if (sequence.phase === 'decoding') this.#decoding.leave(sequence);
    sequence.phase = phase;
    this.#keepPrefilling();
    this.#release(sequence);
  }

  #answered(sequence: Sequence): GenerationRequest {
    this.#release(sequence);
    this.#spare.push(sequence);
    return sequence.request;
  }

  #release(sequence: Sequence): void {
    const last = this.#running.pop()!;
    if (last !== sequence) {
      this.#running[sequence.place] = last;
      last.place = sequence.place;
    }
    const { prefix } = sequence.request;
    // Optimistic sequences have grown since admission, block by block, counted only in sum.
    const grown = this.#cache.blocksFor(
      Math.max(0, this.#decoding.contextOf(sequence) - sequence.pinnedTokens),
    );
    const optimistic = this.#limits.admission === 'optimistic';
    this.#cache.give(optimistic ? Math.max(sequence.ownBlocks, grown) : sequence.ownBlocks);
    sequence.ownBlocks = 0;
    sequence.pinnedTokens = 0;
    if (prefix) this.#cache.unpin(prefix);
  }

  /** Decode steps until somebody is through, or blocks run out. */
  #identicalSteps(): number {
    let steps = this.#decoding.stepsUntilFinish();
    if (this.#limits.admission === 'optimistic')
      while (steps > 1 && !this.#cache.canTake(this.#decoding.blocksToGrow(steps)))
        steps = Math.floor(steps / 2);
    return steps;
  }

  /** Makes sure every decoding sequence can take its next token; preempts the latest arrivals until it is so. */
  #growOrPreempt(): boolean {
    if (this.#limits.admission !== 'optimistic') return false;
    let preempted = false;
    while (this.#running.length > 1 && !this.#cache.canTake(this.#decoding.blocksToGrow(1))) {
      const last = this.#running.reduce((a, b) => (b.admission > a.admission ? b : a));
      this.#stop(last, 'waiting');
      last.target = last.request.promptTokens + last.generated;
      last.prefilled = 0;
      this.#waiting.unshift(last);
      this.#preemptions += 1;
      preempted = true;
    }
    return preempted;
  }

  /** Sums up the step that is planned. */
  #measure(): void {
    const load = this.#load;
    const { size, context } = this.#decoding;
    load.decodeSequences = size;
    load.decodeContext = context + size;
    load.prefillTokens = 0;
    load.prefillSequences = 0;
    load.prefillPairs = 0;
    load.logitRows = size;
    for (const { chunk, prefilled, target } of this.#prefilling) {
      if (chunk === 0) continue;
      load.prefillSequences += 1;
      load.prefillTokens += chunk;
      // Each of the chunk's tokens attends to what was cached before it and, causally, to the chunk.
      load.prefillPairs += chunk * prefilled + (chunk * (chunk + 1)) / 2;
      if (prefilled + chunk >= target) load.logitRows += 1;
    }
  }
}

/** Nobody, for the many steps in which nobody begins or ends. Never changed. */
const NOBODY: readonly GenerationRequest[] = [];

function and(some: readonly GenerationRequest[], one: GenerationRequest): GenerationRequest[] {
  return some === NOBODY ? [one] : [...some, one];
}

/** Gives a sequence as much of the step's token budget as it can use; returns how much. */
function giveChunk(sequence: Sequence, budget: number): number {
  sequence.chunk = Math.max(0, Math.min(sequence.target - sequence.prefilled, budget));
  return sequence.chunk;
}

/** Prompt tokens that lie in shareable prefix blocks. */
function shareable({ prefix, promptTokens }: GenerationRequest): number {
  return prefix ? Math.min(prefix.ids.length * prefix.tokensPerId, promptTokens) : 0;
}
