/** The last ten minutes as charts. */
import { colourOf } from '../colours.ts';
import { count, duration } from '../format.ts';
import { live } from '../live.ts';
import { Chart } from '../parts/chart.tsx';
import { largest, loadOf, quantiles, steps, total } from '../sums.ts';
import { words } from '../words/index.ts';

const LEAST_SHOWN = 120;
const MOST_SHOWN = 600;
const STEP = 5;
const MOST_LINES = 8;

export function Charts({ now }: { now: number }) {
  const text = words().now.charts;
  // As long as there is something to show.
  const known = now / 1000 - (live.seconds[0]?.at ?? now / 1000);
  const shown = Math.min(MOST_SHOWN, Math.max(LEAST_SHOWN, Math.ceil(known / STEP) * STEP));
  const each = steps(live.seconds, now, shown, STEP);
  const times = each.map(({ at }) => at);
  const ids = live.layout?.experts.map(({ id }) => id) ?? [];
  const main = largest(live.seconds, 'chosen', ids).slice(0, MOST_LINES);
  const drawn = ids.filter((id) => main.includes(id));
  const first = each.map((step) => quantiles(step.seconds, 'first', [0.5, 0.95, 0.99]));
  const sums = (name: 'input' | 'output' | 'failed' | 'cached'): number[] =>
    each.map((step) => total(step.seconds, name) / STEP);
  const { events } = live;
  return (
    <div class="charts">
      <Chart
        title={text.requests}
        times={times}
        format={count}
        least={4}
        stacked
        events={events}
        lines={drawn.map((id) => ({
          name: id,
          colour: colourOf(id),
          values: each.map((step) => total(step.seconds, 'chosen', id) / STEP),
        }))}
      />
      <Chart
        title={text.ttft}
        times={times}
        format={duration}
        least={100}
        events={events}
        lines={[
          { name: text.p50, colour: 'var(--accent)', values: first.map((values) => values[0] ?? null) },
          { name: text.p95, colour: 'var(--e1)', values: first.map((values) => values[1] ?? null) },
          { name: text.p99, colour: 'var(--e3)', values: first.map((values) => values[2] ?? null) },
        ]}
      />
      <Chart
        title={text.tokens}
        times={times}
        format={count}
        least={4}
        events={events}
        lines={[
          { name: text.outputTokens, colour: 'var(--accent)', values: sums('output') },
          { name: text.input, colour: 'var(--e2)', values: sums('input') },
          { name: text.cached, colour: 'var(--e4)', values: sums('cached') },
        ]}
      />
      <Chart
        title={text.trouble}
        times={times}
        format={count}
        least={4}
        events={events}
        lines={[
          { name: text.queued, colour: 'var(--e4)', values: each.map((step) => loadOf(step, 1)) },
          { name: text.failed, colour: 'var(--bad)', values: sums('failed') },
        ]}
      />
    </div>
  );
}
