/** Fits the engines' overheads to published throughput and latency, with the kernels' constants fixed. */
import type { EngineName, EngineOverheads, KernelEfficiency } from '../../src/simulating/cost/efficiency.ts';
import { kernelsFor, stepCost } from '../../src/simulating/cost/step.ts';
import type { Gpu } from '../../src/simulating/hardware/gpu.ts';
import { minimise } from './minimise.ts';
import { price, type Schedule, simulate } from './replay.ts';

/** The starting point, which is also the prior: kernels as measured, small overheads. */
const START: EngineOverheads = {
  memory: 1,
  compute16: 1,
  compute8: 1,
  attention16: 1,
  attention8: 1,
  floors: 0.5,
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
  'attention16',
  'attention8',
  'floors',
  'elementwise',
  'allReduce',
  'transfer',
  'transferPcie',
  'perStep',
  'perSequence',
  'perStream',
] as const;
/** Weight of the prior, per squared logarithm: enough to determine what the rows do not. */
const PULL = 0.003;

export type Kernels = Readonly<Record<Gpu['family'], KernelEfficiency>>;

/** Logarithms of predicted over measured, for every figure of the row that does not need a clock. */
export function logErrors(schedule: Schedule, kernels: Kernels, engine: EngineOverheads): readonly number[] {
  const { deployment, measured, kind } = schedule.row;
  if (kind === 'first-token') return [];
  const predicted = price(
    schedule,
    stepCost(deployment, kernelsFor(deployment.gpu, kernels), engine, kind === 'closed-loop'),
  );
  const errors: number[] = [];
  if (measured.throughput) errors.push(Math.log(predicted.throughput / measured.throughput));
  if (measured.tpot) errors.push(Math.log(predicted.tpot / measured.tpot));
  return errors;
}

/** Mean absolute logarithm of the error, which is robust to outliers. */
function loss(schedules: readonly Schedule[], kernels: Kernels, engine: EngineOverheads): number {
  let sum = 0;
  let count = 0;
  for (const schedule of schedules)
    for (const error of logErrors(schedule, kernels, engine)) {
      sum += Math.abs(error);
      count += 1;
    }
  let pull = 0;
  for (const name of SEARCHED) pull += Math.log(engine[name] / START[name]) ** 2;
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
 * Seconds that a request costs outside the engine's steps: the lower quartile of the gap between measured and simulated
 * times to first token, over the least loaded quarter of the rows, so that queueing is not attributed to it.
 */
export function fitPerRequest(
  schedules: readonly Schedule[],
  kernels: Kernels,
  engine: EngineOverheads,
): EngineOverheads {
  const measured = schedules
    .filter(({ row }) => row.measured.ttft && row.kind === 'closed-loop')
    .sort((a, b) => a.row.concurrency - b.row.concurrency);
  const missing = measured
    .slice(0, Math.ceil(measured.length / 4))
    .map(({ row }) => {
      const cost = stepCost(row.deployment, kernelsFor(row.deployment.gpu, kernels), {
        ...engine,
        perRequest: 0,
      });
      return row.measured.ttft! - simulate(row, cost).ttft;
    })
    .sort((a, b) => a - b);
  const quartile = missing[Math.floor(missing.length / 4)] ?? START.perRequest;
  return { ...engine, perRequest: Math.max(0, quartile) };
}

export function ofEngine(schedules: readonly Schedule[], engine: EngineName): readonly Schedule[] {
  return schedules.filter((s) => s.row.deployment.engine === engine);
}
