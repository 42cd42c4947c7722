/** How sure a prediction is, in a line: between which factors four of five measurements of its neighbours lie. */
import { type Band, bandOf, FAR, type PredictedMetric } from '../../simulating/cost/bands.ts';
import type { Deployment } from '../../simulating/deployment.ts';

export type Bands = Readonly<Record<PredictedMetric, Band | null>>;

const NAMES: Readonly<Record<PredictedMetric, string>> = {
  throughput: 'throughput',
  tpot: 'TPOT',
  ttft: 'TTFT',
};
const METRICS = Object.keys(NAMES) as readonly PredictedMetric[];

/** The widest band of several deployments, metric by metric. */
export function bandsOf(deployments: readonly Deployment[]): Bands {
  const widest = (metric: PredictedMetric): Band | null =>
    deployments
      .map((d) => bandOf(d, metric))
      .reduce<Band | null>((a, b) => {
        if (!a || !b) return a ?? b;
        return {
          low: Math.min(a.low, b.low),
          high: Math.max(a.high, b.high),
          distance: Math.max(a.distance, b.distance),
        };
      }, null);
  return Object.fromEntries(METRICS.map((metric) => [metric, widest(metric)])) as Bands;
}

/** `throughput −9 to +12 %, TPOT −6 to +8 %, TTFT −20 to +31 %`, and a warning where nothing like it was measured. */
export function bandText(bands: Bands): string {
  const known = METRICS.flatMap((metric) => (bands[metric] ? [{ metric, band: bands[metric] }] : []));
  if (known.length === 0) return 'no measurement to compare with';
  const percent = (factor: number): string => {
    const value = Math.round(100 * (factor - 1));
    return value < 0 ? `−${-value}` : `+${value}`;
  };
  const parts = known.map(
    ({ metric, band }) => `${NAMES[metric]} ${percent(band.low)} to ${percent(band.high)} %`,
  );
  const far = known.some(({ band }) => band.distance > FAR);
  return `${parts.join(', ')}${far ? '; nothing much like it was measured, so this may be too narrow' : ''}`;
}

/** The sentence that explains them. */
export const BANDS_MEAN =
  'Four of five measurements of the nearest published configurations, left out of the fit, lie within';
