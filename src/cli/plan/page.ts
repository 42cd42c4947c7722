/** A search as a page: what waiting less costs, with the front that nothing beats, and the tables of the terminal. */
import { escapeHtml } from '../../report/escape.ts';
import { lineChart } from '../../report/line-chart.ts';
import { htmlTable, page } from '../../report/page.ts';
import { type Demand, describeLevel, describeLoad, type Level } from '../../simulating/planner/demand.ts';
import { type PricedPoint, paretoFront } from '../../simulating/planner/frontier.ts';

/** @param text the search as the terminal shows it */
export function planPage(points: readonly PricedPoint[], demand: Demand, text: string): string {
  const { promptTokens, outputTokens } = demand.mean;
  const axes = [axisOf(demand, 'ttft'), axisOf(demand, 'tpot')];
  return page({
    title: `What ${describeLoad(demand.load)} cost`,
    subtitle: `${promptTokens} + ${outputTokens} tokens; every point is a placement, simulated.`,
    sections: [
      {
        heading: 'What waiting less costs',
        figures: [...axes.map((axis) => picture(points, axis)), table(points, axes)],
      },
      { heading: 'The search', figures: [`<pre>${escapeHtml(text)}</pre>`] },
    ],
    footer: 'Simulated, not measured; docs/simulator.md says how far that may be off.',
  });
}

/** What one picture has on its horizontal axis. */
interface Axis {
  readonly title: string;
  /** `TTFT p95 ms`. */
  readonly label: string;
  readonly level: Level | undefined;
  readonly value: (point: PricedPoint) => number;
}

const TITLES = {
  ttft: 'Cost against the wait for a first token',
  tpot: 'Cost against the pace of an answer',
} as const;

/** The statistic that a level is about, or the 95th percentile. */
function axisOf({ levels }: Demand, metric: Level['metric']): Axis {
  const level = levels.find((one) => one.metric === metric);
  const statistic = level?.statistic ?? 'p95';
  return {
    title: TITLES[metric],
    label: `${metric.toUpperCase()} ${statistic} ms`,
    level,
    value: ({ simulated }) => (metric === 'ttft' ? simulated.ttft_ms : simulated.tpot_ms)[statistic],
  };
}

function picture(points: readonly PricedPoint[], { title, label, level, value }: Axis): string {
  const kinds = new Map<string, PricedPoint[]>();
  for (const point of points) {
    const { model, gpu } = point.placement.deployment;
    const name = `${model.name} on ${gpu.name}`;
    kinds.set(name, [...(kinds.get(name) ?? []), point]);
  }
  const line = (name: string, own: readonly PricedPoint[], dashed = false) => ({
    name,
    dashed,
    points: own.map((p) => ({
      x: value(p),
      y: p.cost,
      note: `${p.placement.name}: $${p.cost} an hour, ${label.replace(/ ms$/, '')} ${value(p).toFixed(1)} ms`,
    })),
  });
  const limit = level && { at: 1000 * level.seconds, name: describeLevel(level) };
  return lineChart({
    title,
    x: { label, scale: 'log', ...(limit ? { limit } : {}) },
    y: { label: 'US dollars an hour', scale: 'log' },
    series: [
      line('nothing beats these', paretoFront(points, value)),
      ...[...kinds].slice(0, 6).map(([name, own]) => line(name, paretoFront(own, value), true)),
    ],
  });
}

function table(points: readonly PricedPoint[], axes: readonly Axis[]): string {
  const onFront = new Set(axes.flatMap(({ value }) => paretoFront(points, value)));
  const rows = points.map((p) => [
    `${onFront.has(p) ? '* ' : ''}${p.placement.name}`,
    `$${p.cost}`,
    Math.round(p.simulated.tokens_per_second).toLocaleString('en-US'),
    ...axes.map(({ value }) => value(p).toLocaleString('en-US', { maximumSignificantDigits: 3 })),
    axes.every(({ level, value }) => level === undefined || value(p) <= 1000 * level.seconds) ? 'yes' : 'no',
  ]);
  const head = ['placement (* nothing beats it)', '$/h', 'tokens/s', ...axes.map(({ label }) => label)];
  return htmlTable([...head, 'keeps the levels'], rows);
}
