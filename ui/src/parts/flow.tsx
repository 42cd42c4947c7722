/** The last minute as a picture: prompts come in on the left and part into the experts that they went to. */
import type { ExpertNow, Second } from '../../../src/serving/board/wire.ts';
import { colourOf } from '../colours.ts';
import { count, percent } from '../format.ts';
import { live } from '../live.ts';
import { largest, total } from '../sums.ts';
import { words } from '../words/index.ts';
import { Expert, State } from './bits.tsx';

const MOST_SHOWN = 10;
/** Pixels: of a line, as the style sheet has it, and between two ribbons. */
const LINE = 40;
const GAP = 10;
const IDLE = 2;

interface Goal {
  readonly id: string;
  /** Requests of the minute. */
  readonly chosen: number;
  readonly about: string | null;
  readonly now: ExpertNow | undefined;
}

export function Flow({ minute }: { minute: readonly Second[] }) {
  const text = words().now.flow;
  const experts = live.layout?.experts ?? [];
  const ids = largest(
    minute,
    'chosen',
    experts.map(({ id }) => id),
  ).slice(0, MOST_SHOWN);
  const goals = experts
    .filter(({ id }) => ids.includes(id))
    .map(({ id, about, fallback }) => ({
      id,
      chosen: total(minute, 'chosen', id),
      about: about ?? (fallback ? text.fallback : null),
      now: live.experts[id],
    }));
  if (goals.length === 0) return null;
  const chosen = total(minute, 'chosen');
  const ended = total(minute, 'ended');
  const spilled = total(minute, 'spilled');
  return (
    <figure class="card flow" aria-label={text.label}>
      <div class="source">
        <strong>{text.prompts}</strong>
        <span>{chosen < 60 ? text.seldom(count(chosen)) : text.rate(count(chosen / 60))}</span>
        <span class="hint">{text.topics(count(live.layout?.clusters.length ?? 0))}</span>
        {spilled > 0 ? <span class="hint">{text.away(percent(spilled / ended))}</span> : null}
      </div>
      <Ribbons goals={goals} />
      <ul>
        {goals.map((goal) => (
          <Line key={goal.id} goal={goal} share={chosen === 0 ? null : goal.chosen / chosen} />
        ))}
        {experts.length > goals.length ? (
          <li class="hint">{text.others(count(experts.length - goals.length))}</li>
        ) : null}
      </ul>
    </figure>
  );
}

function Line({ goal: { id, about, now }, share }: { goal: Goal; share: number | null }) {
  const text = words().now.flow;
  const load = [
    now?.inFlight ? text.busy(count(now.inFlight)) : '',
    now?.queued ? text.waiting(count(now.queued)) : '',
  ].filter(Boolean);
  const fine = now === undefined || (now.available && now.broken === 0);
  return (
    <li>
      <span class="who">
        <Expert id={id} />
        {fine ? null : <State now={now} />}
        <small class="about" title={about ?? undefined}>
          {about}
        </small>
      </span>
      <span class="load">
        <strong>{percent(share)}</strong>
        <small>{load.join(' · ') || '\u00a0'}</small>
      </span>
    </li>
  );
}

/** As wide as the share of each; the widest is as wide as its line. */
function Ribbons({ goals }: { goals: readonly Goal[] }) {
  const height = goals.length * LINE;
  const most = Math.max(...goals.map(({ chosen }) => chosen));
  // Where nothing comes, the ways are drawn all the same.
  const widths = goals.map(({ chosen }) =>
    most === 0 ? IDLE : chosen === 0 ? 0 : 1 + (chosen / most) * (LINE - GAP - 1),
  );
  const sum = widths.reduce((all, width) => all + width, 0);
  let from = (height - sum) / 2;
  return (
    <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" style={{ height }} aria-hidden="true">
      {goals.map(({ id }, place) => {
        const width = widths[place]!;
        const [top, bottom] = [from, from + width];
        from = bottom;
        const middle = (place + 0.5) * LINE;
        const [high, low] = [middle - width / 2, middle + width / 2];
        const path = `M0 ${top} C50 ${top} 50 ${high} 100 ${high} V${low} C50 ${low} 50 ${bottom} 0 ${bottom} Z`;
        return <path key={id} d={path} style={{ fill: colourOf(id) }} />;
      })}
    </svg>
  );
}
