/** Errors of predicted rows, grouped, and leave-one-out fits over configurations. */
import type { EngineOverheads } from '../../src/simulating/cost/efficiency.ts';
import { kernelsFor, stepCost } from '../../src/simulating/cost/step.ts';
import { fitEngine, fitPerRequest, type Kernels, ofEngine } from '../fit/engines.ts';
import { simulate } from '../fit/replay.ts';
import type { CalibrationRow } from '../fit/rows.ts';
import { ENGINE_NAMES, type Fit } from '../fit/workflow.ts';

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
): readonly RowError[] {
  const streaming = row.kind === 'closed-loop';
  const cost = stepCost(row.deployment, kernelsFor(row.deployment.gpu, kernels), engine, streaming);
  const predicted = simulate(row, cost);
  return METRICS.flatMap((metric) => {
    const measured = row.measured[metric];
    return measured ? [{ row, metric, predicted: predicted[metric], measured }] : [];
  });
}

/**
 * For every configuration (model, GPU, tensor-parallel degree, precision): fits the engine without any of its rows, and
 * predicts them. Versions of an engine share configurations, so that no version leaks a left-out configuration's
 * figures.
 */
export function leaveOneOut(fit: Fit, progress: (done: number, total: number) => void): readonly RowError[] {
  const errors: RowError[] = [];
  const configurations = ENGINE_NAMES.flatMap((engine) => {
    const mine = ofEngine(fit.schedules, engine);
    const names = [...new Set(mine.map((s) => configuration(s.row)))];
    return names.map((name) => ({ engine, mine, name }));
  });
  configurations.forEach(({ engine, mine, name }, i) => {
    progress(i, configurations.length);
    const others = mine.filter((s) => configuration(s.row) !== name);
    const fitted = fitEngine(others, fit.kernels, FOLD_EVALUATIONS, fit.engines[engine]);
    const overheads = fitPerRequest(others, fit.kernels, fitted);
    for (const { row } of mine)
      if (configuration(row) === name) errors.push(...errorsOf(row, fit.kernels, overheads));
  });
  progress(configurations.length, configurations.length);
  return errors;
}

/** Names differ where shapes do not (Llama 3 and 3.1): a configuration is a shape on its hardware. */
function configuration({ deployment: d }: CalibrationRow): string {
  return [
    d.model.layers,
    d.model.hidden,
    d.model.intermediate,
    d.gpu.name,
    d.tensorParallel,
    d.precision.name,
  ].join(' ');
}

/** A fold begins at the constants of the whole fit, one configuration away from its own. */
const FOLD_EVALUATIONS = 160;

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
