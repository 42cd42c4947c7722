/** Fits the engines' overheads to published throughput and latency, the kernels' constants held fixed. */
import type { EngineOverheads, KernelEfficiency } from '../../src/simulating/cost/efficiency.ts';
import { kernelsFor, type StepCost, stepCost } from '../../src/simulating/cost/step.ts';
import { describeDeployment } from '../../src/simulating/deployment.ts';
import type { GpuFamily } from '../../src/simulating/hardware/gpu.ts';
import { leastDeviations } from './least-deviations.ts';
import { type Prediction, price, type Schedule, simulate } from './replay.ts';
import type { CalibrationRow } from './rows.ts';

/** The starting point, which is also the prior: kernels as measured, small overheads. */
const START: EngineOverheads = {
  memory: 1,
  compute16: 1,
  compute8: 1,
  compute4: 1,
  attention16: 1,
  attention8: 1,
  blackwellCompute: 1,
  blackwellAttention: 1,
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
  'blackwellCompute',
  'blackwellAttention',
  'floors',
  'elementwise',
  'allReduce',
  'transfer',
  'transferPcie',
  'perStep',
  'perSequence',
  'perStream',
] as const;
/** Attention of the oldest generation alone is slower than its reads; where this search begins, it is felt. */
const OLD_PER_HEAD_TOKEN = 3e-11;
/** Weight of the prior, per squared logarithm: enough to determine what the rows do not. */
const PULL = 0.003;
/** Weight of a time to first token: harnesses have more part in it than in the other figures. */
const FIRST = 0.5;

export type Kernels = Readonly<Record<GpuFamily, KernelEfficiency>>;

/** A row's figures, by its steps alone where they can be known without a clock. */
export function predict(planned: Schedule, cost: StepCost): Prediction {
  const { measured, harness } = planned.row;
  const timed = measured.ttft !== undefined && harness.frontEnd < Number.POSITIVE_INFINITY;
  return timed ? simulate(planned.row, cost) : price(planned, cost);
}

/** Whether a row's time to first token takes part in the fit: what a front end holds up depends on the clock. */
function tellsFirstToken({ measured, harness }: CalibrationRow): boolean {
  return measured.ttft !== undefined && harness.frontEnd === Number.POSITIVE_INFINITY;
}

/** Logarithms of predicted over measured, always as many and in the same order for the same rows. */
function errorsWith(engine: EngineOverheads, schedules: readonly Schedule[], kernels: Kernels) {
  const costFor = costs(kernels, engine);
  const priced = schedules.map((planned) => ({
    row: planned.row,
    figures: price(planned, costFor(planned.row)),
  }));
  const clients = clientsOf(priced.filter(({ row }) => tellsFirstToken(row)));
  const error = (predicted: number, measured: number | undefined): number[] =>
    measured ? [Math.log(predicted / measured)] : [];
  return priced.flatMap(({ row, figures }) => [
    ...error(figures.throughput, row.measured.throughput),
    ...error(figures.tpot, row.measured.tpot),
    ...(tellsFirstToken(row)
      ? error(figures.ttft + (clients[row.harness.name] ?? 0), row.measured.ttft).map((e) => FIRST * e)
      : []),
  ]);
}

/** The cost of a row's steps, by the deployment and what its engine was built with. */
export function costOf(
  { deployment, build }: CalibrationRow,
  kernels: Kernels,
  engine: EngineOverheads,
): StepCost {
  const built = { ...engine, tensorCores: build.tensorCores };
  return stepCost(deployment, kernelsFor(deployment.gpu, kernels), built, build.streaming);
}

/** One cost for all rows of a deployment. */
function costs(kernels: Kernels, engine: EngineOverheads): (row: CalibrationRow) => StepCost {
  const known = new Map<string, StepCost>();
  return (row) => {
    const { deployment, build } = row;
    const key = `${describeDeployment(deployment)} ${build.streaming} ${build.tensorCores}`;
    const found = known.get(key) ?? costOf(row, kernels, engine);
    known.set(key, found);
    return found;
  };
}

/** From the prior alone, whatever was fitted before: rows that are left out have no part in it. */
export function fitEngine(schedules: readonly Schedule[], kernels: Kernels): EngineOverheads {
  const old = schedules.some(({ row }) => row.deployment.engine === 'tensorrt-llm-0.10');
  const build = (values: readonly number[]): EngineOverheads => ({
    ...START,
    ...Object.fromEntries(SEARCHED.map((name, i) => [name, values[i]!])),
    ...(old ? { perHeadToken: values[SEARCHED.length]! } : {}),
  });
  const parameters = [
    ...SEARCHED.map((name) => ({ start: START[name], pull: PULL })),
    ...(old ? [{ start: OLD_PER_HEAD_TOKEN, pull: 0 }] : []),
  ];
  return build(leastDeviations((values) => errorsWith(build(values), schedules, kernels), parameters));
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
): Clients {
  const costFor = costs(kernels, engine);
  return clientsOf(schedules.map((s) => ({ row: s.row, figures: predict(s, costFor(s.row)) })));
}

/** Seconds that each harness's client adds to a first token. */
export type Clients = Readonly<Record<string, number>>;

interface Priced {
  readonly row: CalibrationRow;
  readonly figures: Prediction;
}

function clientsOf(priced: readonly Priced[]): Clients {
  const byHarness = new Map<string, Priced[]>();
  for (const one of priced) {
    const { measured, kind, harness } = one.row;
    if (!measured.ttft || kind !== 'closed-loop') continue;
    byHarness.set(harness.name, [...(byHarness.get(harness.name) ?? []), one]);
  }
  return Object.fromEntries([...byHarness].map(([name, group]) => [name, missingSeconds(group)]));
}

function missingSeconds(group: readonly Priced[]): number {
  const missing = group
    .toSorted((a, b) => a.row.concurrency - b.row.concurrency)
    .slice(0, Math.ceil(group.length / 4))
    .map(({ row, figures }) => row.measured.ttft! - figures.ttft)
    .sort((a, b) => a - b);
  return Math.max(0, missing[Math.floor(missing.length / 2)] ?? 0);
}
