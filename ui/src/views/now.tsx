/** How the router is doing: a sentence, the figures of the last minute, ten minutes as charts, and the experts. */
import type { Viewer } from '../../../src/serving/board/wire.ts';
import { colourOf } from '../colours.ts';
import { clock, count, DASH, duration, percent } from '../format.ts';
import { live } from '../live.ts';
import { Bar, Card, Empty, Expert, State, Table, useLive } from '../parts/bits.tsx';
import { Flow } from '../parts/flow.tsx';
import { last, quantiles, total } from '../sums.ts';
import { words } from '../words/index.ts';
import { Charts } from './now-charts.tsx';
import { Tiles } from './now-tiles.tsx';

const MINUTE = 60;
const EVENTS_SHOWN = 6;
/** So that they leave room for what happens seldom. */
const MOVES_SHOWN = 2;

export function Now({ viewer }: { viewer: Viewer }) {
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
      {never && live.status === 'live' ? <First keyed={viewer.name !== null} /> : null}
      <Flow minute={minute} />
      {never ? null : (
        <>
          <Tiles now={now} />
          <Charts now={now} />
          <Experts minute={minute} />
        </>
      )}
      <Events />
    </>
  );
}

/** @param props.keyed whether requests need an API key */
function First({ keyed }: { keyed: boolean }) {
  const text = words().now;
  const key = keyed ? ` -H "Authorization: Bearer ${text.yourKey}"` : '';
  return (
    <Empty>
      {text.empty}
      <code>
        {`curl ${location.origin}/v1/chat/completions -H "Content-Type: application/json"${key} -d `}
        {`'{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'`}
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
    chosen === 0 && running === 0
      ? text.quiet
      : chosen < MINUTE
        ? text.seldom(count(running), count(chosen))
        : text.sentence(count(running), count(chosen / MINUTE)),
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
