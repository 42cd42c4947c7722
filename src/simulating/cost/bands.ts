/** How far a prediction may be off: from the residuals of the nearest configurations that were measured. */
import type { Deployment } from '../deployment.ts';
import { countParameters } from '../model/shape.ts';
import type { PredictedMetric, Residual } from './residual.ts';
import { RESIDUALS } from './residuals.ts';

export type { PredictedMetric } from './residual.ts';

/** Factors on a prediction between which four of five measurements of the nearest configurations lie. */
export interface Band {
  readonly low: number;
  readonly high: number;
  /** How unlike the nearest measured configuration is: 0 for itself, above `FAR` for little in common. */
  readonly distance: number;
}

/** Beyond this a band says more of other configurations than of the one asked about. */
export const FAR = 2;
/** Rows that a band should rest on. */
const ENOUGH = 24;
/** A band is widened by this much, in logarithms, for each unit of distance. */
const WIDENING = 0.05;

/** @returns null when nothing of the metric was ever measured */
export function bandOf(d: Deployment, metric: PredictedMetric): Band | null {
  // What its owner measured is not ours to judge.
  if (d.measured) return null;
  const weights = countParameters(d.model);
  const near = RESIDUALS.filter((r) => r.metric === metric)
    .map((r) => ({ r, distance: distance(d, weights.total / 1e9, weights.active / 1e9, r) }))
    .sort((a, b) => a.distance - b.distance);
  const nearest = near[0];
  if (!nearest) return null;
  let rows = 0;
  let low = 0;
  let high = 0;
  for (const { r, distance: far } of near) {
    if (rows >= ENOUGH) break;
    rows += r.rows;
    low += r.rows * (r.low - WIDENING * far);
    high += r.rows * (r.high + WIDENING * far);
  }
  // A band always has the prediction in it.
  return {
    low: Math.exp(Math.min(0, low / rows)),
    high: Math.exp(Math.max(0, high / rows)),
    distance: nearest.distance,
  };
}

/** Sums what differs; another generation of an engine, or experts where the measured one has none, weigh most. */
function distance(d: Deployment, billions: number, active: number, r: Residual): number {
  const engine = d.engine === 'sglang' ? 'vllm' : d.engine;
  const steps = (a: number, b: number): number => Math.abs(Math.log2(a / b));
  const sparse = (all: number, some: number): boolean => some < 0.7 * all;
  return (
    (engine === r.engine ? 0 : engine.slice(0, 8) === r.engine.slice(0, 8) ? 1.5 : 1) +
    (d.gpu.name === r.gpu ? 0 : d.gpu.roofline ? 2 : 0.7) +
    (d.precision.name === r.precision || (d.precision.weightBytes === 2 && /16/.test(r.precision))
      ? 0
      : 0.7) +
    0.3 * steps(d.tensorParallel, r.degree) +
    0.3 * steps(active, r.active) +
    (sparse(billions, active) === sparse(r.billions, r.active) ? 0 : 2)
  );
}
