/** A percentile as people read it: `> 12 s` where the run could only bound it, `–` where there was nothing to measure. */

export type PercentilesOf<Q extends string> = Readonly<Record<Q, number>> & {
  /** Those that a run could only bound. */
  readonly at_least?: readonly string[];
};

export function percentileText<Q extends string>(
  of: PercentilesOf<Q>,
  quantile: Q,
  text: (ms: number) => string,
): string {
  const value: number = of[quantile];
  if (Number.isNaN(value)) return '–';
  return of.at_least?.includes(quantile) ? `> ${text(value)}` : text(value);
}
