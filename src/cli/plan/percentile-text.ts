/** A percentile as people read it: `> 12 s` where the run could only bound it, `–` where there was nothing to measure. */
import type { Percentiles, Quantile } from '../../simulating/fleet/sketch.ts';

export function percentileText(of: Percentiles, quantile: Quantile, text: (ms: number) => string): string {
  const value = of[quantile];
  if (Number.isNaN(value)) return '–';
  return of.at_least.includes(quantile) ? `> ${text(value)}` : text(value);
}
