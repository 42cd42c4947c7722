/**
 * One engine in time: submits go in, the times of first and last tokens come out.
 * It advances whole runs of identical decode steps at once.
 */
import { Fifo } from '../../core/fifo.ts';
import type { StepCost, StepLoad } from '../cost/step.ts';
import type { KvCache } from './kv-cache.ts';
import { type Plan, type Progress, Scheduler, type SchedulerLimits } from './scheduler.ts';
import type { GenerationRequest } from './sequence.ts';

/** Called by `advance`, with the very objects that were submitted; times are the simulation's seconds. */
export interface ReplicaListener {
  firstToken(request: GenerationRequest, time: number): void;
  finished(request: GenerationRequest, time: number): void;
  /**
   * A run of steps ended: what was in the first of them, how many there were, how long they took in all. The load's
   * object is used again after the call.
   */
  ran?(load: StepLoad, steps: number, seconds: number, time: number): void;
}

/** Steps under way. Step j (from 0) takes `first + j * slope` seconds: attention grows by one token per sequence. */
interface Run {
  plan: Plan;
  start: number;
  steps: number;
  first: number;
  slope: number;
  end: number;
}

export class Replica {
  readonly #cost: StepCost;
  readonly #cache: KvCache;
  readonly #scheduler: Scheduler;
  readonly #frontEnd: number;
  /** Requests before the engine, and when the front end will have relayed all it has taken. */
  readonly #front = new Fifo<{ readonly at: number; readonly request: GenerationRequest }>();
  #frontFree = 0;
  readonly #slots: number;
  /** Requests that wait for a slot, and when answers that have left the engine give theirs back. */
  readonly #unslotted = new Fifo<GenerationRequest>();
  readonly #givenBack = new Fifo<number>();
  #clock = 0;
  #run: Run | null = null;
  #latest: Run | null = null;
  #busy = 0;

  /**
   * @param frontEnd output tokens a second that the server relays at most: requests beyond that wait in front of the
   *   engine, each for as long as the answers before it take to be relayed
   * @param slots requests that its router gives it at once: each has its slot until its answer has arrived, `perRequest`
   *   after the engine has ended it, and the others wait at the router
   */
  constructor(
    cost: StepCost,
    limits: SchedulerLimits,
    cache: KvCache,
    frontEnd = Number.POSITIVE_INFINITY,
    slots = Number.POSITIVE_INFINITY,
  ) {
    this.#frontEnd = frontEnd;
    this.#slots = slots;
    this.#cost = cost;
    this.#cache = cache;
    this.#scheduler = new Scheduler(limits, cache);
  }

  get running(): number {
    return this.#scheduler.running;
  }

  get waiting(): number {
    return this.#scheduler.waiting + this.#front.size + this.#unslotted.size;
  }

  get preemptions(): number {
    return this.#scheduler.preemptions;
  }

  /** Share of the cache's blocks in use. */
  get kvUse(): number {
    return this.#cache.capacity > 0 ? this.#cache.used / this.#cache.capacity : 0;
  }

  /** Seconds spent in steps so far. */
  get busySeconds(): number {
    return this.#busy;
  }

  canEverRun(request: GenerationRequest): boolean {
    return this.#scheduler.canEverRun(request);
  }

  /** When `advance` has something to do next; Infinity when idle. */
  get nextTime(): number {
    const next = Math.min(this.#nextStepTime(), this.#nextSlotTime());
    if (this.#frontEnd === Number.POSITIVE_INFINITY || this.#front.size === 0) return next;
    return Math.min(next, this.#front.peek()!.at);
  }

  #nextStepTime(): number {
    if (this.#run) return this.#run.end;
    return this.#scheduler.running + this.#scheduler.waiting > 0 ? this.#clock : Number.POSITIVE_INFINITY;
  }

  /** When a request that waits for a slot gets one. */
  #nextSlotTime(): number {
    return (this.#unslotted.size > 0 && this.#givenBack.peek()) || Number.POSITIVE_INFINITY;
  }

  /** When the step in progress at `now` ends; `nextTime` when none is. */
  nextStepEnd(now: number): number {
    if (!this.#run) return this.nextTime;
    return Math.min(this.#run.end, this.#run.start + elapsed(this.#run, stepsWithin(this.#run, now) + 1));
  }

  /** `now` must not lie before any earlier call's time. The request enters the step that begins next. */
  submit(request: GenerationRequest, now: number): void {
    if (this.#hasSlot(now)) this.#admit(request, now);
    else this.#unslotted.push(request);
  }

  #hasSlot(now: number): boolean {
    if (this.#slots === Number.POSITIVE_INFINITY) return true;
    if (this.#unslotted.size > 0) return false;
    while ((this.#givenBack.peek() ?? Number.POSITIVE_INFINITY) <= now) this.#givenBack.shift();
    const inside = this.#scheduler.running + this.#scheduler.waiting + this.#front.size;
    return inside + this.#givenBack.size < this.#slots;
  }

  #admit(request: GenerationRequest, now: number): void {
    const limited = this.#frontEnd < Number.POSITIVE_INFINITY;
    const at = limited ? Math.max(now, this.#frontFree) : now;
    if (limited) this.#frontFree = at + request.outputTokens / this.#frontEnd;
    if (at > now) this.#front.push({ at, request });
    else this.#enter(request, now);
  }

  #enter(request: GenerationRequest, now: number): void {
    if (this.#run) {
      // Whoever waits at the head blocks newcomers too; only an empty queue makes the current run end early.
      if (this.#scheduler.waiting === 0) this.#endRunAfter(now);
    } else this.#clock = Math.max(this.#clock, now);
    this.#scheduler.enqueue(request);
  }

  /** The client has gone. Takes effect at the end of the step under way, as in real engines. */
  cancel(id: number, now: number): boolean {
    if (this.#unslotted.remove((request) => request.id === id)) return true;
    if (this.#front.remove(({ request }) => request.id === id)) return true;
    if (this.#run && now > this.#run.start) this.#settle(now);
    const found = this.#scheduler.cancel(id);
    if (found && this.#unslotted.size > 0) this.#givenBack.unshift(now);
    return found;
  }

  /** The requests that run, and the tokens each has generated by `now`. */
  *progress(now: number): Generator<Progress> {
    const run = this.#run;
    const since = run && run.plan.load.prefillSequences === 0 ? stepsWithin(run, now) : 0;
    for (const { request, generated } of this.#scheduler.progress())
      yield { request, generated: generated === 0 ? 0 : generated + since };
  }

  /** The requests that do not run yet. */
  *queue(): Generator<GenerationRequest> {
    yield* this.#unslotted;
    for (const { request } of this.#front) yield request;
    yield* this.#scheduler.queue();
  }

  /** Ends the run due by `until`, or plans the next one. At most one run ends per call, so that callers can react. */
  advance(until: number, listener: ReplicaListener): void {
    const slot = this.#nextSlotTime();
    if (slot <= until && slot < this.#nextStepTime()) {
      this.#givenBack.shift();
      this.#admit(this.#unslotted.shift()!, slot);
      return;
    }
    const arrival = this.#frontEnd < Number.POSITIVE_INFINITY && this.#front.peek();
    if (arrival && arrival.at <= until && arrival.at < this.#nextStepTime()) {
      this.#front.shift();
      this.#enter(arrival.request, arrival.at);
      return;
    }
    if (!this.#run && this.#clock <= until) this.#plan();
    const run = this.#run;
    if (!run || run.end > until) return;
    const { firstTokens, finished } = this.#scheduler.complete(run.plan, run.steps);
    this.#clock = run.end;
    this.#run = null;
    this.#busy += run.end - run.start;
    listener.ran?.(run.plan.load, run.steps, run.end - run.start, run.end);
    for (const request of firstTokens) listener.firstToken(request, run.end + this.#cost.perRequest);
    const arrived = run.end + this.#cost.perRequest;
    if (this.#slots < Number.POSITIVE_INFINITY) for (const _ of finished) this.#givenBack.push(arrived);
    for (const request of finished) listener.finished(request, arrived);
  }

  #plan(): void {
    const plan = this.#scheduler.plan();
    if (!plan) return;
    const first = this.#cost.seconds(plan.load);
    const slope = plan.steps > 1 ? this.#growth(plan, first) : 0;
    // One object for all runs, which are never two at a time.
    this.#latest ??= { plan, start: 0, steps: 0, first: 0, slope: 0, end: 0 };
    const run = this.#latest;
    run.start = this.#clock;
    run.steps = plan.steps;
    run.first = first;
    run.slope = slope;
    run.end = run.start + elapsed(run, run.steps);
    this.#run = run;
  }

  /** Seconds by which each step is longer than the one before, from the first to the last of the run. */
  #growth({ load, steps }: Plan, first: number): number {
    const decodeContext = load.decodeContext + (steps - 1) * load.decodeSequences;
    return (this.#cost.seconds({ ...load, decodeContext }) - first) / (steps - 1);
  }

  /** Cuts the run under way at the end of the step in progress at `now`, so that it can be accounted for. */
  cutRun(now: number): void {
    this.#endRunAfter(now);
  }

  #endRunAfter(now: number): void {
    const run = this.#run;
    if (!run || run.steps === 1) return;
    run.steps = Math.min(run.steps, stepsWithin(run, now) + 1);
    run.end = run.start + elapsed(run, run.steps);
  }

  /** Books the decode steps that have ended by `now`, so that a cancellation frees what is really held. */
  #settle(now: number): void {
    const run = this.#run;
    if (!run || run.plan.load.prefillSequences > 0) return;
    const done = Math.min(stepsWithin(run, now), run.steps - 1);
    this.#scheduler.complete(run.plan, done);
    this.#clock = run.start + elapsed(run, done);
    this.#busy += this.#clock - run.start;
    this.#run = null;
  }
}

function elapsed({ first, slope }: Pick<Run, 'first' | 'slope'>, steps: number): number {
  return steps * first + (slope * steps * (steps - 1)) / 2;
}

/** Whole steps of the run that have ended by `now`: the quadratic `elapsed(run, j) <= now - start` solved for j. */
function stepsWithin(run: Run, now: number): number {
  // A nanosecond of grace: an end that was computed and asked for again must count as reached.
  const time = now - run.start + 1e-9;
  if (time <= 0) return 0;
  const b = run.first - run.slope / 2;
  const estimate =
    run.slope > 1e-15 ? (Math.sqrt(b * b + 2 * run.slope * time) - b) / run.slope : time / run.first;
  let steps = Math.min(run.steps, Math.max(0, Math.floor(estimate)));
  // Rounding may be off by one at either side.
  while (steps < run.steps && elapsed(run, steps + 1) <= time) steps += 1;
  while (steps > 0 && elapsed(run, steps) > time) steps -= 1;
  return steps;
}
