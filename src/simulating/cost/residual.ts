/** What is kept of the measurements that a prediction is judged by. */
import type { EngineName } from './efficiency.ts';

export type PredictedMetric = 'throughput' | 'tpot' | 'ttft';

/** Logarithms of measured over predicted of one configuration's rows, left out of the fit: the 10th and 90th percentile. */
export interface Residual {
  readonly engine: EngineName;
  readonly gpu: string;
  readonly precision: string;
  readonly degree: number;
  /** 10^9 weights, and those a token passes. */
  readonly billions: number;
  readonly active: number;
  readonly metric: PredictedMetric;
  readonly rows: number;
  readonly low: number;
  readonly high: number;
}
