/** Errors of predicted rows, grouped, and leave-one-out fits over configurations. */
import type { EngineOverheads } from '../../src/simulating/cost/efficiency.ts';
import { kernelsFor, stepCost } from '../../src/simulating/cost/step.ts';
import type { TransformerShape } from '../../src/simulating/model/shape.ts';
import { fitClients, fitEngine, type Kernels, ofEngine } from '../fit/engines.ts';
import { simulate } from '../fit/replay.ts';
import type { CalibrationRow } from '../fit/rows.ts';
import { ENGINE_NAMES, type Fit } from '../fit/workflow.ts';

/** Seconds that each harness's client adds to a first token. */
export type Clients = Readonly<Record<string, number>>;

export type Metric = 'throughput' | 'tpot' | 'ttft';

export interface RowError {
  readonly row: CalibrationRow;
  readonly metric: Metric;
  readonly predicted: number;
  readonly measured: number;
}

export interface ErrorGroup {
  readonly metric: Metric;
  readonly name: string;
  readonly rows: number;
  /** Mean, median and 90th percentile of |predicted / measured - 1|. */
  readonly mape: number;
  readonly median: number;
  readonly p90: number;
  /** Mean of predicted / measured - 1: positive is optimistic for throughput, pessimistic for times. */
  readonly bias: number;
}

const METRICS: readonly Metric[] = ['throughput', 'tpot', 'ttft'];

/** Simulates the row and compares every measured figure. */
export function errorsOf(
  row: CalibrationRow,
  kernels: Kernels,
  engine: EngineOverheads,
  clients: Clients,
): readonly RowError[] {
  const { deployment, build } = row;
  const cost = stepCost(deployment, kernelsFor(deployment.gpu, kernels), engine, build.streaming);
  const engineOnly = simulate(row, cost);
  const predicted = { ...engineOnly, ttft: engineOnly.ttft + (clients[row.harness.name] ?? 0) };
  return METRICS.flatMap((metric) => {
    const measured = row.measured[metric];
    return measured ? [{ row, metric, predicted: predicted[metric], measured }] : [];
  });
}

/** What is left out of a fit together, and predicted from the rest. */
export type FoldOf = (row: CalibrationRow) => string;

/** Folds of `configuration`: enough that each is a small part of its engine's rows. */
const FOLDS = 8;

/** Rows of a shape on its hardware stay together, so that no version lends a left-out one its figures. */
export const byConfiguration: FoldOf = (row) => String(hash(configuration(row)) % FOLDS);
export const byModel: FoldOf = ({ deployment }) => shapeName(deployment.model);
export const byGpu: FoldOf = ({ deployment }) => deployment.gpu.name;

/** Fits each engine without one fold after the other, and predicts it. The kernels' constants are other data. */
export function leaveOut(
  fit: Omit<Fit, 'kernelFits'>,
  foldOf: FoldOf,
  progress: (done: number, total: number) => void,
): readonly RowError[] {
  const folds = ENGINE_NAMES.flatMap((engine) => {
    const mine = ofEngine(fit.schedules, engine);
    const names = [...new Set(mine.map((s) => foldOf(s.row)))];
    // An engine with one fold has nothing to be fitted to without it.
    return names.length > 1 ? names.map((name) => ({ engine, mine, name })) : [];
  });
  return folds.flatMap(({ engine, mine, name }, i) => {
    progress(i, folds.length);
    const others = mine.filter((s) => foldOf(s.row) !== name);
    const fitted = fitEngine(others, fit.kernels, FOLD_EVALUATIONS, fit.engines[engine]);
    const clients = fitClients(others, fit.kernels, fitted);
    return mine
      .filter((s) => foldOf(s.row) === name)
      .flatMap(({ row }) => errorsOf(row, fit.kernels, fitted, clients));
  });
}

/** Names differ where shapes do not (Llama 3 and 3.1): a configuration is a shape on its hardware. */
function configuration({ deployment: d }: CalibrationRow): string {
  return [shapeName(d.model), d.gpu.name, d.tensorParallel, d.precision.name].join(' ');
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}

export function shapeName({ layers, hidden, vocabulary, feedForward }: TransformerShape): string {
  return [layers, hidden, vocabulary, ...feedForward.map((f) => f.width)].join('/');
}

/** A fold begins at the constants of the whole fit, one configuration away from its own. */
const FOLD_EVALUATIONS = 80;

export function group(errors: readonly RowError[], key: (error: RowError) => string): readonly ErrorGroup[] {
  const groups = new Map<string, RowError[]>();
  for (const error of errors) {
    const name = `${METRICS.indexOf(error.metric)}${key(error)}`;
    const members = groups.get(name);
    if (members) members.push(error);
    else groups.set(name, [error]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, members]) => summarise(name.slice(1), members));
}

function summarise(name: string, members: readonly RowError[]): ErrorGroup {
  const signed = members.map(({ predicted, measured }) => predicted / measured - 1);
  const sizes = signed.map(Math.abs).sort((a, b) => a - b);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const at = (q: number): number => sizes[Math.min(sizes.length - 1, Math.floor(q * sizes.length))]!;
  return {
    metric: members[0]!.metric,
    name,
    rows: members.length,
    mape: mean(sizes),
    median: at(0.5),
    p90: at(0.9),
    bias: mean(signed),
  };
}
