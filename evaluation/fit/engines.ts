/** Fits the engines' overheads to published throughput and latency, the kernels' constants held fixed. */
import type {
  EngineOverheads,
  KernelEfficiency,
  MeasuredEngine,
} from '../../src/simulating/cost/efficiency.ts';
import { kernelsFor, type StepCost, stepCost } from '../../src/simulating/cost/step.ts';
import { describeDeployment } from '../../src/simulating/deployment.ts';
import type { GpuFamily } from '../../src/simulating/hardware/gpu.ts';
import { minimise } from './minimise.ts';
import { price, type Schedule, simulate } from './replay.ts';
import type { CalibrationRow } from './rows.ts';

/** The starting point, which is also the prior: kernels as measured, small overheads. */
const START: EngineOverheads = {
  memory: 1,
  compute16: 1,
  compute8: 1,
  compute4: 1,
  attention16: 1,
  attention8: 1,
  perHeadToken: 5e-12,
  floors: 0.5,
  mixtureFloors: 1,
  elementwise: 1,
  allReduce: 3e-6,
  transfer: 1,
  transferPcie: 1.3,
  perStep: 3e-4,
  perSequence: 5e-6,
  perStream: 1e-5,
  perRequest: 5e-3,
};
const SEARCHED = [
  'memory',
  'compute16',
  'compute8',
  'compute4',
  'attention16',
  'attention8',
  'perHeadToken',
  'floors',
  'elementwise',
  'allReduce',
  'transfer',
  'transferPcie',
  'perStep',
  'perSequence',
  'perStream',
] as const;
/** A least time is free: where the kernels' own is longer, as in all current engines, it changes nothing. */
const PULLED = SEARCHED.filter((name) => name !== 'perHeadToken');
/** Weight of the prior, per squared logarithm: enough to determine what the rows do not. */
const PULL = 0.003;

export type Kernels = Readonly<Record<GpuFamily, KernelEfficiency>>;

/** Logarithms of predicted over measured, for every figure of the row that does not need a clock. */
function logErrors(schedule: Schedule, costOf: (row: CalibrationRow) => StepCost): readonly number[] {
  const { measured, kind } = schedule.row;
  if (kind === 'first-token') return [];
  const predicted = price(schedule, costOf(schedule.row));
  const errors: number[] = [];
  if (measured.throughput) errors.push(Math.log(predicted.throughput / measured.throughput));
  if (measured.tpot) errors.push(Math.log(predicted.tpot / measured.tpot));
  return errors;
}

/** Mean absolute logarithm of the error, which is robust to outliers. */
function loss(schedules: readonly Schedule[], kernels: Kernels, engine: EngineOverheads): number {
  let sum = 0;
  let count = 0;
  const costs = new Map<string, StepCost>();
  const costOf = (row: CalibrationRow): StepCost => {
    const key = `${describeDeployment(row.deployment)} ${row.build.streaming}`;
    const known = costs.get(key);
    if (known) return known;
    const { deployment, build } = row;
    const cost = stepCost(deployment, kernelsFor(deployment.gpu, kernels), engine, build.streaming);
    costs.set(key, cost);
    return cost;
  };
  for (const schedule of schedules)
    for (const error of logErrors(schedule, costOf)) {
      sum += Math.abs(error);
      count += 1;
    }
  let pull = 0;
  for (const name of PULLED) pull += Math.log(engine[name] / START[name]) ** 2;
  return sum / Math.max(1, count) + PULL * pull;
}

/** @param evaluations how long to search; a leave-one-out fold starts near its goal and needs fewer */
export function fitEngine(
  schedules: readonly Schedule[],
  kernels: Kernels,
  evaluations = 900,
  start: EngineOverheads = START,
): EngineOverheads {
  const build = (x: readonly number[]): EngineOverheads => ({
    ...start,
    ...Object.fromEntries(SEARCHED.map((name, i) => [name, x[i]!])),
  });
  const found = minimise(
    (x) => loss(schedules, kernels, build(x)),
    SEARCHED.map((name) => start[name]),
    evaluations,
  );
  return build(found.x);
}

/**
 * Seconds until a request's first token outside of the engine's steps and of any queue, by harness: the median of
 * what simulated times lack, over the least loaded quarter of its rows. The client's part of it cannot be told apart in
 * closed-loop rows; so it stays with the harness, and the engine's own is `START.perRequest`, as one-user runs have it.
 */
export function fitClients(
  schedules: readonly Schedule[],
  kernels: Kernels,
  engine: EngineOverheads,
): Readonly<Record<string, number>> {
  const byHarness = new Map<string, Schedule[]>();
  for (const schedule of schedules) {
    const { measured, kind, harness } = schedule.row;
    if (!measured.ttft || kind !== 'closed-loop') continue;
    const group = byHarness.get(harness.name);
    if (group) group.push(schedule);
    else byHarness.set(harness.name, [schedule]);
  }
  return Object.fromEntries(
    [...byHarness].map(([name, group]) => [name, missingSeconds(group, kernels, engine)]),
  );
}

function missingSeconds(schedules: readonly Schedule[], kernels: Kernels, engine: EngineOverheads): number {
  const missing = schedules
    .toSorted((a, b) => a.row.concurrency - b.row.concurrency)
    .slice(0, Math.ceil(schedules.length / 4))
    .map(
      ({ row }) =>
        row.measured.ttft! -
        simulate(row, stepCost(row.deployment, kernelsFor(row.deployment.gpu, kernels), engine)).ttft,
    )
    .sort((a, b) => a - b);
  return Math.max(0, missing[Math.floor(missing.length / 2)] ?? 0);
}

export function ofEngine(schedules: readonly Schedule[], engine: MeasuredEngine): readonly Schedule[] {
  return schedules.filter((s) => s.row.deployment.engine === engine);
}
