/**
 * One expert with the replicas that it has at the moment: requests take a slot for as long as they last, and wait in order
 * for one. Time goes in ticks; who finds a free slot does not wait for the next.
 */
import { Arrivals } from '../../deciding/scaling/arrivals.ts';
import type { Demand } from '../../deciding/scaling/demand.ts';
import type { Lengths } from '../workload/lengths.ts';
import type { Service } from './service.ts';

export interface PoolParts {
  readonly service: Service;
  readonly lengths: readonly Lengths[];
  /** What a gateway expects of an answer, in tokens. */
  readonly meanOutput: number;
  readonly tickSeconds: number;
  /** Seconds that a replica takes to start. */
  readonly startSeconds: number;
  /** Told of each request: seconds to its first token; null for one that was refused. */
  answered(ttft: number | null): void;
}

/** Seconds in the queue after which a request is refused: of one that runs, and of one that is being started. */
const QUEUE_SECONDS = 30;
const START_SECONDS = 300;
/** After so many seconds an observation of the rate counts half. */
const RATE_SECONDS = 20;

export class ExpertPool {
  readonly #parts: PoolParts;
  readonly #arrivals: Arrivals;
  /** Requests and tokens that end at each of the next ticks, a ring. */
  readonly #ends: Uint32Array;
  readonly #endTokens: Float64Array;
  /** Who waits: when they came (seconds) and which lengths they have; a queue with a moving head. */
  #came: number[] = [];
  #which: number[] = [];
  #head = 0;
  #waitingTokens = 0;
  #tick = 0;
  #running = 0;
  #runningTokens = 0;
  #ready: number;
  /** When those that start will be there, in seconds. */
  #starting: number[] = [];
  /** Tokens finished and seconds of requests, what is long ago counting less. */
  #finished = 0;
  #requestSeconds = 0;

  constructor(parts: PoolParts, ready: number) {
    this.#parts = parts;
    this.#ready = ready;
    this.#arrivals = new Arrivals(() => this.#now * 1000);
    const longest = Math.max(...parts.lengths.map((one) => this.#seconds(one)));
    const ring = Math.ceil(longest / parts.tickSeconds) + 2;
    this.#ends = new Uint32Array(ring);
    this.#endTokens = new Float64Array(ring);
  }

  get #now(): number {
    return this.#tick * this.#parts.tickSeconds;
  }

  /** GPUs that it holds: starting, ready, and those that still finish what they have. */
  get gpus(): number {
    const { slots, gpus } = this.#parts.service;
    return gpus * (this.#starting.length + Math.max(this.#ready, Math.ceil(this.#running / slots)));
  }

  /** As a gateway would tell it. */
  get demand(): Demand {
    const queued = this.#came.length - this.#head;
    return {
      inFlight: this.#running,
      queued,
      tokens: this.#runningTokens,
      queuedTokens: this.#waitingTokens,
      seen: { inFlight: this.#running, tokens: this.#runningTokens },
      oldestWait: queued === 0 ? 0 : this.#now - this.#came[this.#head]!,
      ready: this.#ready,
      arrivingTokens: this.#arrivals.tokensPerSecond(''),
      sinceArrival: this.#arrivals.since(''),
      rate:
        this.#requestSeconds > 0 ? (this.#parts.service.slots * this.#finished) / this.#requestSeconds : 0,
      coming: this.#starting.length > 0,
    };
  }

  /** From now on so many replicas are wanted; those that are not needed finish what they have. */
  scale(replicas: number): void {
    const { startSeconds } = this.#parts;
    for (let missing = replicas - this.#ready - this.#starting.length; missing > 0; missing--)
      this.#starting.push(this.#now + startSeconds);
    while (this.#starting.length > 0 && this.#starting.length + this.#ready > replicas) this.#starting.pop();
    this.#ready = Math.min(this.#ready, replicas);
  }

  /** One tick, in which so many requests come. @param lengthsOf draws one of the lengths */
  step(arrivals: number, draw: () => number): void {
    this.#tick += 1;
    this.#finish();
    while (this.#starting.length > 0 && this.#starting[0]! <= this.#now) {
      this.#starting.shift();
      this.#ready += 1;
    }
    const { tickSeconds, lengths, meanOutput } = this.#parts;
    let tokens = 0;
    for (let n = 0; n < arrivals; n++) {
      const which = draw();
      const expected = lengths[which]!.promptTokens + meanOutput;
      tokens += expected;
      this.#waitingTokens += expected;
      this.#came.push(this.#now - ((arrivals - n) / arrivals) * tickSeconds);
      this.#which.push(which);
    }
    if (tokens > 0) this.#arrivals.note('', tokens);
    this.#begin();
  }

  #finish(): void {
    const at = this.#tick % this.#ends.length;
    const tokens = this.#endTokens[at]!;
    const present = this.#running;
    this.#running -= this.#ends[at]!;
    this.#runningTokens -= tokens;
    this.#ends[at] = 0;
    this.#endTokens[at] = 0;
    this.#measure(tokens, present);
  }

  /** What finished in this tick, for each request that was there: as a gateway measures it. */
  #measure(tokens: number, requests: number): void {
    const { tickSeconds } = this.#parts;
    if (requests <= 0) return;
    const kept = 0.5 ** (tickSeconds / RATE_SECONDS);
    this.#finished = this.#finished * kept + tokens;
    this.#requestSeconds = this.#requestSeconds * kept + requests * tickSeconds;
  }

  #begin(): void {
    const { service, answered, lengths, meanOutput, tickSeconds } = this.#parts;
    const room = service.slots * this.#ready;
    const patience = this.#ready === 0 ? START_SECONDS : QUEUE_SECONDS;
    while (this.#head < this.#came.length) {
      const came = this.#came[this.#head]!;
      const request = lengths[this.#which[this.#head]!]!;
      const waited = this.#now - came;
      const refused = waited > patience;
      if (!refused && this.#running >= room) break;
      this.#head += 1;
      const expected = request.promptTokens + meanOutput;
      this.#waitingTokens -= expected;
      if (refused) {
        answered(null);
        continue;
      }
      // Within the tick it came in, it found a free slot at once.
      const wait = waited <= tickSeconds ? 0 : waited;
      answered(wait + service.ttftSeconds(request.promptTokens));
      const end =
        (this.#tick + Math.max(1, Math.ceil(this.#seconds(request) / tickSeconds))) % this.#ends.length;
      this.#ends[end]! += 1;
      this.#endTokens[end]! += expected;
      this.#running += 1;
      this.#runningTokens += expected;
    }
    if (this.#head > 4_096) {
      this.#came = this.#came.slice(this.#head);
      this.#which = this.#which.slice(this.#head);
      this.#head = 0;
    }
  }

  #seconds({ promptTokens, outputTokens }: Lengths): number {
    const { ttftSeconds, tpotSeconds } = this.#parts.service;
    return ttftSeconds(promptTokens) + outputTokens * tpotSeconds;
  }
}
