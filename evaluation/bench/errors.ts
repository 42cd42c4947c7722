/** Errors of predicted rows: in sample, and with rows, configurations, models or GPUs left out of the fit. */
import { type Task, task } from '../../src/core/tasks.ts';
import { ENGINES, KERNELS } from '../../src/simulating/cost/constants.ts';
import type { EngineOverheads, MeasuredEngine } from '../../src/simulating/cost/efficiency.ts';
import type { TransformerShape } from '../../src/simulating/model/shape.ts';
import { type Clients, costOf, fitClients, fitEngine, type Kernels, predict } from '../fit/engines.ts';
import { type Schedule, schedule } from '../fit/replay.ts';
import { type CalibrationRow, readCalibration } from '../fit/rows.ts';

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

export const METRICS: readonly Metric[] = ['throughput', 'tpot', 'ttft'];

/** Every measured figure beside the prediction. */
function errorsOf(
  planned: Schedule,
  kernels: Kernels,
  engine: EngineOverheads,
  clients: Clients,
): readonly RowError[] {
  const { row } = planned;
  const { measured, harness } = row;
  const engineOnly = predict(planned, costOf(row, kernels, engine));
  const predicted = { ...engineOnly, ttft: engineOnly.ttft + (clients[harness.name] ?? 0) };
  return METRICS.flatMap((metric) => {
    const value = measured[metric];
    return value ? [{ row, metric, predicted: predicted[metric], measured: value }] : [];
  });
}

/** What is left out of a fit together, and predicted from the rest: rows and configurations in so many parts. */
const FOLDS = {
  row: (row: CalibrationRow) => dealt([row.version, configuration(row), load(row)].join(' '), 8),
  configuration: (row: CalibrationRow) => dealt(configuration(row), 16),
  model: ({ deployment }: CalibrationRow) => shapeName(deployment.model),
  GPU: ({ deployment }: CalibrationRow) => deployment.gpu.name,
} as const;

export type Scheme = keyof typeof FOLDS | 'in sample';

/** Errors of one engine's rows by what was left out of the fit; an engine with one fold has nothing to be fitted to without it. */
export type EngineErrors = Readonly<Record<Scheme, readonly RowError[]>>;

/** The kernels' constants are other data, and not fitted anew. */
export const engineErrors: Task<MeasuredEngine, EngineErrors> = task(
  import.meta.url,
  'engineErrors',
  (engine) => {
    const all = readCalibration(engine).rows.map(schedule);
    const leftOut = Object.entries(FOLDS).map(([scheme, foldOf]) => [scheme, errorsWithout(all, foldOf)]);
    const shipped = ENGINES[engine];
    const clients = fitClients(all, KERNELS, shipped);
    const inSample = all.flatMap((one) => errorsOf(one, KERNELS, shipped, clients));
    return { ...Object.fromEntries(leftOut), 'in sample': inSample } as EngineErrors;
  },
);

/** Of an engine's rows, each predicted by a fit without its configuration. */
export const errorsWithoutConfiguration: Task<MeasuredEngine, readonly RowError[]> = task(
  import.meta.url,
  'errorsWithoutConfiguration',
  (engine) => errorsWithout(readCalibration(engine).rows.map(schedule), FOLDS.configuration),
);

function errorsWithout(
  all: readonly Schedule[],
  foldOf: (row: CalibrationRow) => string,
): readonly RowError[] {
  const names = [...new Set(all.map(({ row }) => foldOf(row)))];
  if (names.length < 2) return [];
  return names.flatMap((name) => {
    const others = all.filter(({ row }) => foldOf(row) !== name);
    const fitted = fitEngine(others, KERNELS);
    const clients = fitClients(others, KERNELS, fitted);
    return all
      .filter(({ row }) => foldOf(row) === name)
      .flatMap((one) => errorsOf(one, KERNELS, fitted, clients));
  });
}

/** A shape on its hardware: names differ where shapes do not (Llama 3 and 3.1). */
function configuration({ deployment: d }: CalibrationRow): string {
  return [shapeName(d.model), d.gpu.name, d.tensorParallel, d.precision.name].join(' ');
}

function load({ input, output, concurrency, kind }: CalibrationRow): string {
  return [kind, input, output, concurrency].join(' ');
}

/** Which of so many parts a name falls into. */
function dealt(name: string, parts: number): string {
  return String(hash(name) % parts);
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}

function shapeName({ layers, hidden, vocabulary, feedForward }: TransformerShape): string {
  return [layers, hidden, vocabulary, ...feedForward.map((f) => f.width)].join('/');
}

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
