/** CPU, memory and event-loop delay of the process, as prom-client has them. */
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

const DELAYS = ['min', 'max', 'mean', 'stddev'].map((which) => `nodejs_eventloop_lag_${which}_seconds`);
/** An event loop is never held up for longer. */
const LONGEST_SECONDS = 1e6;

export function watchProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of DELAYS) {
    const gauge = registry.getSingleMetric(name);
    if (gauge instanceof Gauge) onlyMeasured(gauge);
  }
}

/** Where nothing was measured since the last scrape it is set to NaN, or to 292 years as the least: then nothing is told. */
function onlyMeasured(gauge: Gauge): void {
  const set = gauge.set.bind(gauge) as (labels: object, value: number) => void;
  Object.assign(gauge, {
    set: (labels: object, value: number) => (value < LONGEST_SECONDS ? set(labels, value) : gauge.remove()),
  });
}
