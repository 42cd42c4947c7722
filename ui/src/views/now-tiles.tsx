/** The figures of the last minute, each with how it went. */
import { count, DASH, duration, percent } from '../format.ts';
import { live } from '../live.ts';
import { Spark } from '../parts/bits.tsx';
import { last, loadOf, quantiles, steps, total } from '../sums.ts';
import { words } from '../words/index.ts';

const MINUTE = 60;

export function Tiles({ now }: { now: number }) {
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
