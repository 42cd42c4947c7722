/**
 * Predicts a calibration row: runs its requests through the scheduler, then computes the duration of the recorded
 * steps. With all requests offered at once or a constant number of users, the content of steps does not depend on their
 * duration, so a row is scheduled once and priced again for every candidate set of constants.
 */
import { Fifo } from '../../src/core/fifo.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { StepCost, StepLoad } from '../../src/simulating/cost/step.ts';
import { KvCache } from '../../src/simulating/engine/kv-cache.ts';
import { Replica, type ReplicaListener } from '../../src/simulating/engine/replica.ts';
import type { GenerationRequest } from '../../src/simulating/engine/sequence.ts';
import { memoryBudget } from '../../src/simulating/memory.ts';
import type { CalibrationRow } from './rows.ts';

export interface Prediction {
  readonly throughput: number;
  readonly tpot: number;
  readonly ttft: number;
}

/** Steps with much the same content, as their average. */
interface Segment {
  readonly load: StepLoad;
  readonly steps: number;
  /** Sequences that were waiting for a token after their first during each of these steps, and for their first. */
  readonly tokens: number;
  readonly firsts: number;
}

export interface Schedule {
  readonly row: CalibrationRow;
  readonly segments: readonly Segment[];
  /** Output tokens of the whole run, and the number of those that are not a first token. */
  readonly outputTokens: number;
  readonly laterTokens: number;
}

function replicaFor(row: CalibrationRow, cost: StepCost): Replica {
  const { deployment, kind, harness, build } = row;
  const once = kind === 'static' || kind === 'first-token';
  const limits = {
    ...build.limits,
    ...(once ? { maxTokens: row.requests * row.input } : {}),
    ...(harness.waiting > 0 ? { maxBatch: row.concurrency } : {}),
  };
  const budget = memoryBudget(deployment, build.limits, row.input + row.output);
  // What was measured did run: where our memory model leaves too little, the row runs with one sequence, or its batch.
  const least = (once ? row.requests : 1) * (row.input + row.output + limits.blockTokens);
  const cache = new KvCache(Math.max(budget.kvTokens, least), limits.blockTokens);
  return new Replica(cost, { ...limits, admission: build.admission, chunkedPrefill: true }, cache);
}

/**
 * Runs all requests of the row; every finished one is replaced at once until none is left.
 * @param clock whether times are real, so that a front end can hold requests up
 */
function runAll(
  row: CalibrationRow,
  replica: Replica,
  listener: ReplicaListener,
  clock: boolean,
  asked?: (now: number) => void,
): void {
  const random = seededRandom(row.input * 31 + row.output);
  const { lengths, waiting, frontEnd } = row.harness;
  const length = (mean: number): number =>
    Math.max(1, Math.round(mean * (lengths.low + random.next() * (lengths.high - lengths.low))));
  // Answers reach the client a little after the engine is done with them, always in order.
  const ready = new Fifo<{ readonly at: number; readonly request: GenerationRequest }>();
  let next = 0;
  let frontFree = 0;
  const ask = (now: number): void => {
    const request = { id: next++, promptTokens: length(row.input), outputTokens: length(row.output) };
    asked?.(now);
    // A front end relays each answer's tokens at its own pace; whoever comes meanwhile waits for it.
    const at = clock ? Math.max(now, frontFree) : now;
    if (clock) frontFree = at + request.outputTokens / frontEnd;
    ready.push({ at, request });
  };
  for (let i = 0; i < Math.min(row.concurrency + waiting, row.requests); i++) ask(0);
  const replacing: ReplicaListener = {
    ...listener,
    finished(request, time) {
      listener.finished(request, time);
      if (next < row.requests) ask(time);
    },
  };
  for (;;) {
    const arrival = ready.peek()?.at ?? Number.POSITIVE_INFINITY;
    if (arrival <= replica.nextTime && arrival < Number.POSITIVE_INFINITY)
      replica.submit(ready.shift()!.request, arrival);
    else if (replica.nextTime < Number.POSITIVE_INFINITY) replica.advance(replica.nextTime, replacing);
    else return;
  }
}

/**
 * Where tokens are streamed, an answer's way to its client takes part of a step, and who asks next comes into the middle of
 * one.
 */
function everyStepOneSecond(streaming: boolean): StepCost {
  return {
    perRequest: streaming ? 0.5 : 0,
    seconds: () => 1,
    breakdown: () => {
      throw new Error('only durations are needed');
    },
  };
}

/** Schedules a row once; the result can be priced for any constants. */
export function schedule(row: CalibrationRow): Schedule {
  const buckets = new Map<string, { steps: number; firsts: number; sums: Record<keyof StepLoad, number> }>();
  const replica = replicaFor(row, everyStepOneSecond(row.build.streaming));
  let outputTokens = 0;
  let waiting = 0;
  runAll(
    row,
    replica,
    {
      firstToken: () => {
        waiting -= 1;
      },
      finished: (request) => {
        outputTokens += request.outputTokens;
      },
      ran(load, steps) {
        // A run's context grows by one token per sequence and step: its middle stands for all.
        const middle = {
          ...load,
          decodeContext: load.decodeContext + (load.decodeSequences * (steps - 1)) / 2,
        };
        const key = `${octave(load.decodeSequences)} ${octave(load.prefillTokens)}`;
        const bucket = buckets.get(key) ?? { steps: 0, firsts: 0, sums: { ...EMPTY } };
        bucket.steps += steps;
        bucket.firsts += steps * waiting;
        for (const field of FIELDS) bucket.sums[field] += steps * middle[field];
        buckets.set(key, bucket);
      },
    },
    false,
    () => {
      waiting += 1;
    },
  );
  const segments = [...buckets.values()].map(({ steps, firsts, sums }): Segment => {
    const load = { ...EMPTY };
    for (const field of FIELDS) load[field] = sums[field] / steps;
    return { load, steps, tokens: load.decodeSequences, firsts: firsts / steps };
  });
  return { row, segments, outputTokens, laterTokens: outputTokens - row.requests };
}

const EMPTY: Record<keyof StepLoad, number> = {
  decodeSequences: 0,
  decodeContext: 0,
  prefillTokens: 0,
  prefillSequences: 0,
  prefillPairs: 0,
  logitRows: 0,
};
const FIELDS = Object.keys(EMPTY) as (keyof StepLoad)[];

/** Quarter octaves: loads within 19 % of one another are averaged. */
function octave(value: number): number {
  return value < 1 ? -1 : Math.round(4 * Math.log2(value));
}

/** A scheduled row's figures: times of steps, weighted by who waited for them. A front end's limit is not in them. */
export function price({ row, segments, outputTokens, laterTokens }: Schedule, cost: StepCost): Prediction {
  let total = 0;
  let waited = 0;
  let first = 0;
  for (const { load, steps, tokens, firsts } of segments) {
    const seconds = steps * cost.seconds(load);
    total += seconds;
    waited += seconds * tokens;
    first += seconds * firsts;
  }
  const tpot = laterTokens > 0 ? waited / laterTokens : 0;
  const lot = (row.harness.firstLot - 1) * tpot;
  // Later requests come into the middle of a step, whose time has the way to the client in it.
  const atOnce = Math.min(1, row.concurrency / row.requests);
  const ttft = first / row.requests + lot + atOnce * cost.perRequest;
  return { throughput: outputTokens / total, tpot, ttft };
}

/** The row simulated in time, first tokens included. */
export function simulate(row: CalibrationRow, cost: StepCost): Prediction {
  const submittedAt: number[] = [];
  const firstAt: number[] = [];
  let ttft = 0;
  let tpot = 0;
  let tokens = 0;
  let end = 0;
  const listener: ReplicaListener = {
    firstToken({ id }, time) {
      firstAt[id] = time;
      ttft += time - submittedAt[id]!;
    },
    finished({ id, outputTokens }, time) {
      if (outputTokens > 1) tpot += (time - firstAt[id]!) / (outputTokens - 1);
      tokens += outputTokens;
      end = time;
    },
  };
  runAll(row, replicaFor(row, cost), listener, true, (now) => submittedAt.push(now));
  const perToken = tpot / row.requests;
  const lot = (row.harness.firstLot - 1) * perToken;
  return { throughput: tokens / end, tpot: perToken, ttft: ttft / row.requests + lot };
}
