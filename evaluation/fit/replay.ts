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
import { DEFAULT_LIMITS, memoryBudget } from '../../src/simulating/memory.ts';
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
  /** Sequences that were waiting for a token after their first during each of these steps. */
  readonly tokens: number;
}

export interface Schedule {
  readonly row: CalibrationRow;
  readonly segments: readonly Segment[];
  /** Output tokens of the whole run, and the number of those that are not a first token. */
  readonly outputTokens: number;
  readonly laterTokens: number;
}

function replicaFor(row: CalibrationRow, cost: StepCost): Replica {
  const { deployment, kind } = row;
  const once = kind === 'static' || kind === 'first-token';
  const limits = { ...DEFAULT_LIMITS, ...(once ? { maxTokens: row.requests * row.input } : {}) };
  const budget = memoryBudget(deployment, DEFAULT_LIMITS);
  // The measured run did fit: if our memory model leaves too little, the row runs with one sequence, or its batch.
  const least = (once ? row.requests : 1) * (row.input + row.output + limits.blockTokens);
  const admission =
    deployment.engine === 'vllm' || deployment.engine === 'sglang' ? 'optimistic' : 'guaranteed-no-evict';
  const cache = new KvCache(Math.max(budget.kvTokens, least), limits.blockTokens);
  return new Replica(cost, { ...limits, admission, chunkedPrefill: true }, cache);
}

/** Runs all requests of the row; every finished one is replaced at once until none is left. */
function runAll(
  row: CalibrationRow,
  replica: Replica,
  listener: ReplicaListener,
  submitted?: (now: number) => void,
): void {
  const random = seededRandom(row.input * 31 + row.output);
  const length = (mean: number): number =>
    Math.max(1, Math.round(mean * (row.lengths.low + random.next() * (row.lengths.high - row.lengths.low))));
  // Answers reach the client slightly after the engine has finished them, always in order.
  const arrivals = new Fifo<number>();
  for (let i = 0; i < Math.min(row.concurrency, row.requests); i++) arrivals.push(0);
  let next = 0;
  const replacing: ReplicaListener = {
    ...listener,
    finished(request, time) {
      listener.finished(request, time);
      if (next + arrivals.size < row.requests) arrivals.push(time);
    },
  };
  for (;;) {
    const arrival = arrivals.peek() ?? Number.POSITIVE_INFINITY;
    if (arrival <= replica.nextTime && arrival < Number.POSITIVE_INFINITY) {
      arrivals.shift();
      submitted?.(arrival);
      replica.submit(
        { id: next++, promptTokens: length(row.input), outputTokens: length(row.output) },
        arrival,
      );
    } else if (replica.nextTime < Number.POSITIVE_INFINITY) replica.advance(replica.nextTime, replacing);
    else return;
  }
}

const EVERY_STEP_ONE_SECOND: StepCost = {
  perRequest: 0,
  seconds: () => 1,
  breakdown: () => {
    throw new Error('only durations are needed');
  },
};

/** Schedules a row once; the result can be priced for any constants. */
export function schedule(row: CalibrationRow): Schedule {
  const buckets = new Map<string, { steps: number; sums: Record<keyof StepLoad, number> }>();
  const replica = replicaFor(row, EVERY_STEP_ONE_SECOND);
  let outputTokens = 0;
  runAll(row, replica, {
    firstToken: () => {},
    finished: (request) => {
      outputTokens += request.outputTokens;
    },
    ran(load, steps) {
      // A run's context grows by one token per sequence and step: its middle represents the run.
      const middle = {
        ...load,
        decodeContext: load.decodeContext + (load.decodeSequences * (steps - 1)) / 2,
      };
      const key = `${octave(load.decodeSequences)} ${octave(load.prefillTokens)}`;
      const bucket = buckets.get(key) ?? { steps: 0, sums: { ...EMPTY } };
      bucket.steps += steps;
      for (const field of FIELDS) bucket.sums[field] += steps * middle[field];
      buckets.set(key, bucket);
    },
  });
  const segments = [...buckets.values()].map(({ steps, sums }): Segment => {
    const load = { ...EMPTY };
    for (const field of FIELDS) load[field] = sums[field] / steps;
    return { load, steps, tokens: load.decodeSequences };
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

/** Throughput and mean time per output token of a scheduled row. */
export function price(
  { segments, outputTokens, laterTokens }: Schedule,
  cost: StepCost,
): Omit<Prediction, 'ttft'> {
  let total = 0;
  let waited = 0;
  for (const { load, steps, tokens } of segments) {
    const seconds = steps * cost.seconds(load);
    total += seconds;
    waited += seconds * tokens;
  }
  return { throughput: outputTokens / total, tpot: laterTokens > 0 ? waited / laterTokens : 0 };
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
  runAll(row, replicaFor(row, cost), listener, (now) => submittedAt.push(now));
  return { throughput: tokens / end, tpot: tpot / row.requests, ttft: ttft / row.requests };
}
