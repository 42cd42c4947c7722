/** How the router is doing: a sentence, the figures of the last minute, ten minutes as charts, and the experts. */
import { colourOf } from '../colours.ts';
import { clock, count, DASH, duration, percent } from '../format.ts';
import { live } from '../live.ts';
import { Bar, Card, Empty, Expert, Spark, State, Table, useLive } from '../parts/bits.tsx';
import { Chart } from '../parts/chart.tsx';
import { Flow } from '../parts/flow.tsx';
import { largest, last, quantiles, type Step, steps, total } from '../sums.ts';
import { words } from '../words/index.ts';

const MINUTE = 60;
const LEAST_SHOWN = 120;
const MOST_SHOWN = 600;
const STEP = 5;
const MOST_LINES = 8;
const EVENTS_SHOWN = 6;
/** So that they leave room for what happens seldom. */
const MOVES_SHOWN = 2;

export function Now() {
  useLive();
  const text = words();
  const now = live.now || Date.now();
  const minute = last(live.seconds, MINUTE, now);
  const never = live.seconds.every(
    ({ experts, refused }) => Object.keys(experts).length === 0 && refused === 0,
  );
  return (
    <>
      <div class="lead">
        <p>{text.now.lead}</p>
        <p class="sentence">
          {never ? null : <Sentence />}
          <Health />
        </p>
      </div>
      {never && live.status === 'live' ? <First /> : null}
      <Flow minute={minute} />
      {never ? null : (
        <>
          <Tiles now={now} />
          <Charts now={now} />
        </>
      )}
      <Experts minute={minute} />
      <Events />
    </>
  );
}

function First() {
  return (
    <Empty>
      {words().now.empty}
      <code>
        curl {location.origin}/v1/chat/completions -H "Content-Type: application/json" -d
        {` '{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'`}
      </code>
    </Empty>
  );
}

function Sentence() {
  const { now: text, gap } = words();
  const minute = last(live.seconds, MINUTE, live.now);
  const all = Object.entries(live.experts);
  const running = all.reduce((sum, [, { inFlight }]) => sum + inFlight, 0);
  const queued = all.reduce((sum, [, one]) => sum + one.queued, 0);
  const chosen = total(minute, 'chosen');
  const ended = total(minute, 'ended');
  const [half = null] = quantiles(minute, 'first', [0.5]);
  const failed = total(minute, 'failed');
  const parts = [
    chosen === 0 && running === 0 ? text.quiet : text.sentence(count(running), count(chosen / MINUTE)),
    half === null ? '' : text.begin(duration(half)),
    ended > 0 ? text.home(percent(1 - total(minute, 'spilled') / ended)) : '',
    queued > 0 ? text.waiting(count(queued)) : running > 0 ? text.nobodyWaits : '',
  ];
  return (
    <>
      {parts.filter(Boolean).join(gap) + gap}
      {failed > 0 ? <span class="bad">{text.someFailed(percent(failed / ended)) + gap}</span> : null}
    </>
  );
}

/** Who cannot be asked, and where that is explained. */
function Health() {
  const { now: text, gap } = words();
  const all = Object.entries(live.experts);
  if (all.length === 0) return <>{'\u00a0'}</>;
  const away = all.filter(([, { available }]) => !available);
  if (away.length === 0) return <>{text.allWell}</>;
  const named = (drained: boolean): string =>
    away
      .filter(([, one]) => one.drained === drained)
      .map(([id]) => id)
      .join(', ');
  const [down, drained] = [named(false), named(true)];
  return (
    <>
      {down === '' ? null : <span class="bad">{text.down(down) + gap}</span>}
      {drained === '' ? null : <span class="warn">{text.drained(drained) + gap}</span>}
      <a href="#/experts">{text.more}</a>
    </>
  );
}

function Tiles({ now }: { now: number }) {
  const text = words().now;
  const minute = last(live.seconds, MINUTE, now);
  const each = steps(live.seconds, now, MINUTE, 2);
  const all = Object.values(live.experts);
  const inFlight = all.reduce((sum, one) => sum + one.inFlight, 0);
  const queued = all.reduce((sum, one) => sum + one.queued, 0);
  const [half = null, most = null] = quantiles(minute, 'first', [0.5, 0.95]);
  const [halfToken = null, mostToken = null] = quantiles(minute, 'perToken', [0.5, 0.95]);
  const failed = total(minute, 'failed');
  const ended = total(minute, 'ended');
  const output = total(minute, 'output');
  const per = (name: 'chosen' | 'output' | 'failed'): number[] =>
    each.map((step) => total(step.seconds, name) / 2);
  return (
    <dl class="tiles" aria-label={text.minute}>
      <Tile name={text.inFlight} value={count(inFlight)} values={each.map((step) => loadOf(step, 0))} />
      <Tile name={text.rate} value={count(total(minute, 'chosen') / MINUTE)} values={per('chosen')} />
      <Tile
        name={text.output}
        value={output > 0 ? count(output / MINUTE) : DASH}
        more={output === 0 && ended > 0 ? text.unreported : ''}
        values={per('output')}
      />
      <Tile
        name={text.ttft}
        value={duration(half)}
        more={most === null ? '' : text.most(duration(most))}
        values={each.map((step) => quantiles(step.seconds, 'first', [0.5])[0] ?? 0)}
      />
      <Tile
        name={text.tpot}
        value={duration(halfToken)}
        more={mostToken === null ? '' : text.most(duration(mostToken))}
        values={each.map((step) => quantiles(step.seconds, 'perToken', [0.5])[0] ?? 0)}
      />
      <Tile name={text.queued} value={count(queued)} values={each.map((step) => loadOf(step, 1))} />
      <Tile
        name={text.errors}
        value={ended === 0 ? DASH : percent(failed / ended)}
        more={failed > 0 ? text.ofAll(count(failed), count(ended)) : ''}
        values={per('failed')}
        colour={failed > 0 ? 'var(--bad)' : undefined}
      />
    </dl>
  );
}

/** In flight (0) or queued (1) at the end of a step. */
function loadOf({ seconds }: Step, which: 0 | 1): number {
  return Object.values(seconds.at(-1)?.load ?? {}).reduce((sum, load) => sum + load[which], 0);
}

function Tile(props: {
  name: string;
  value: string;
  more?: string;
  values: readonly number[];
  colour?: string | undefined;
}) {
  const { name, value, more = '', values, colour } = props;
  return (
    <div class="card tile">
      <dt>{name}</dt>
      <dd>
        <strong style={colour === undefined ? undefined : { color: colour }}>{value}</strong>
        <small>{more || '\u00a0'}</small>
        <Spark values={values} colour={colour ?? 'var(--accent)'} />
      </dd>
    </div>
  );
}

function Charts({ now }: { now: number }) {
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

function Experts({ minute }: { minute: ReturnType<typeof last> }) {
  const text = words();
  const { columns } = text.now;
  const ids = live.layout?.experts.map(({ id }) => id) ?? [];
  const all = total(minute, 'ended');
  const most = Math.max(1, ...ids.map((id) => live.experts[id]?.inFlight ?? 0));
  return (
    <Card title={text.now.experts} wide>
      <p class="hint">{text.now.about}</p>
      <Table
        label={text.now.experts}
        head={[
          { text: columns.expert, left: true },
          { text: columns.state, left: true },
          { text: columns.load, left: true },
          columns.queue,
          columns.share,
          columns.ttft,
          columns.expected,
          columns.waited,
          columns.cache,
          columns.failed,
        ]}
      >
        {ids.map((id) => {
          const now = live.experts[id];
          const sum = (name: Parameters<typeof total>[1]): number => total(minute, name, id);
          const [ended, firsts, waits] = [sum('ended'), sum('firsts'), sum('waits')];
          const cacheTold = sum('cacheTold');
          return (
            <tr key={id}>
              <td class="left">
                <Expert id={id} />
              </td>
              <td class="left">{now ? <State now={now} /> : DASH}</td>
              <td class="left load">
                <Bar share={(now?.inFlight ?? 0) / most} colour={colourOf(id)} />
                <span>{count(now?.inFlight ?? 0)}</span>
              </td>
              <td>{count(now?.queued ?? 0)}</td>
              <td>{all === 0 ? DASH : percent(ended / all)}</td>
              <td>{firsts === 0 ? DASH : duration(sum('firstMs') / firsts)}</td>
              <td>{waits === 0 ? DASH : duration(sum('expectedMs') / waits)}</td>
              <td>{waits === 0 ? DASH : duration(sum('waitedMs') / waits)}</td>
              <td>{cacheTold === 0 ? DASH : percent(sum('cached') / cacheTold)}</td>
              <td>{ended === 0 ? DASH : percent(sum('failed') / ended)}</td>
            </tr>
          );
        })}
      </Table>
    </Card>
  );
}

function Events() {
  const text = words().now;
  let moves = 0;
  const events = live.events
    .toReversed()
    .filter(({ kind }) => kind !== 'moved' || ++moves <= MOVES_SHOWN)
    .slice(0, EVENTS_SHOWN);
  if (events.length === 0) return null;
  return (
    <Card title={text.events} wide>
      <p class="hint">{text.eventsHint}</p>
      <ul class="events">
        {events.map(({ at, kind, what, replicas, moved }) => (
          <li key={`${at} ${kind} ${what}`} class={kind}>
            <time>{clock(at)}</time> {text.event[kind](what, replicas, moved)}
          </li>
        ))}
      </ul>
    </Card>
  );
}
