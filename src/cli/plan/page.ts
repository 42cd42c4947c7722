/** A search as a page: what waiting less costs, with the front that nothing beats, and the tables of the terminal. */
import { escapeHtml } from '../../report/escape.ts';
import { lineChart } from '../../report/line-chart.ts';
import { htmlTable, page } from '../../report/page.ts';
import { type Demand, describeLoad } from '../../simulating/planner/demand.ts';
import { type PricedPoint, paretoFront } from '../../simulating/planner/frontier.ts';

/** @param text the search as the terminal shows it */
export function planPage(points: readonly PricedPoint[], demand: Demand, text: string): string {
  const { promptTokens, outputTokens } = demand.mean;
  const charts = [
    picture('Cost against the wait for a first token', 'TTFT, 95th percentile, ms', points, ttft),
    picture('Cost against the pace of an answer', 'TPOT, 95th percentile, ms', points, tpot),
  ];
  return page({
    title: `What ${describeLoad(demand.load)} cost`,
    subtitle: `${promptTokens} + ${outputTokens} tokens; every point is a placement, simulated.`,
    sections: [
      { heading: 'What waiting less costs', figures: [...charts, table(points)] },
      { heading: 'The search', figures: [`<pre>${escapeHtml(text)}</pre>`] },
    ],
    footer: 'Simulated, not measured; docs/simulator.md says how far that may be off.',
  });
}

const ttft = (p: PricedPoint): number => p.simulated.ttft_ms.p95;
const tpot = (p: PricedPoint): number => p.simulated.tpot_ms.p95;

function picture(
  title: string,
  label: string,
  points: readonly PricedPoint[],
  value: (p: PricedPoint) => number,
): string {
  const kinds = new Map<string, PricedPoint[]>();
  for (const point of points) {
    const { model, gpu } = point.placement.deployment;
    const name = `${model.name} on ${gpu.name}`;
    kinds.set(name, [...(kinds.get(name) ?? []), point]);
  }
  const line = (name: string, own: readonly PricedPoint[], dashed = false) => ({
    name,
    dashed,
    points: own.map((p) => ({ x: value(p), y: p.cost })),
  });
  return lineChart({
    title,
    x: { label, scale: 'log' },
    y: { label: 'US dollars an hour', scale: 'log' },
    series: [
      line('nothing beats these', paretoFront(points, value)),
      ...[...kinds].slice(0, 6).map(([name, own]) => line(name, paretoFront(own, value), true)),
    ],
  });
}

function table(points: readonly PricedPoint[]): string {
  const onFront = new Set([...paretoFront(points, ttft), ...paretoFront(points, tpot)]);
  const rows = points.map((p) => [
    `${onFront.has(p) ? '* ' : ''}${p.placement.name}`,
    `$${p.cost}`,
    Math.round(p.simulated.tokens_per_second).toLocaleString('en-US'),
    Math.round(ttft(p)).toLocaleString('en-US'),
    tpot(p).toFixed(1),
  ]);
  return htmlTable(['placement (* nothing beats it)', '$/h', 'tokens/s', 'TTFT p95 ms', 'TPOT p95 ms'], rows);
}
