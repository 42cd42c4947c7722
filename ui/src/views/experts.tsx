/** Every expert and its replicas: what the router sees, and what the engines report. */
import type { Viewer } from '../../../src/serving/board/wire.ts';
import * as api from '../api.ts';
import { count, DASH, decimal, percent } from '../format.ts';
import { live } from '../live.ts';
import { Action } from '../parts/action.tsx';
import { Expert, Problem, Table, useAsked, useLive } from '../parts/bits.tsx';
import { total } from '../sums.ts';
import { words } from '../words/index.ts';

const EVERY_MS = 2_000;
const HEALTH = { ready: 'good', warming: 'warn', down: 'bad' } as const;
const BREAKER = { closed: 'good', open: 'bad', 'half-open': 'warn' } as const;

export function Experts({ viewer }: { viewer: Viewer }) {
  useLive();
  const text = words().experts;
  const mayOperate = viewer.roles.includes('operate');
  const { value, error } = useAsked(api.experts, EVERY_MS);
  return (
    <>
      <p class="lead">{text.lead}</p>
      {mayOperate ? (
        <Action
          label={text.reload}
          ask={text.reloadAsk}
          act={async () => text.reloaded((await api.reload()).experts.length)}
        />
      ) : (
        <p class="hint">{text.operators}</p>
      )}
      <Problem why={error} />
      {value?.map((expert) => (
        <One
          key={expert.id}
          expert={expert}
          mayOperate={mayOperate}
          alone={value.every(({ id, available }) => id === expert.id || !available)}
        />
      ))}
    </>
  );
}

/** What it cost in the last ten minutes; without a price that is said, for it is not free. */
function Cost({ id }: { id: string }) {
  const text = words().experts;
  const { price } = live.layout?.experts.find((one) => one.id === id) ?? { price: null };
  if (price === null) return <span class="hint">{text.noPrice}</span>;
  const dollars = total(live.seconds, 'microUsd', id) / 1e6;
  return (
    <span class="hint">
      {pricesIn(price)} · {text.cost(decimal(dollars, 4))}
    </span>
  );
}

/** Of tokens, of GPUs, or of both. */
function pricesIn({ input, output, per_gpu_hour: hour }: NonNullable<ExpertPrice>): string {
  const text = words().experts;
  const tokens = input === null || output === null ? [] : [text.price(decimal(input), decimal(output))];
  return [...tokens, ...(hour === null ? [] : [text.pricePerHour(decimal(hour))])].join(' · ');
}
type ExpertPrice = NonNullable<typeof live.layout>['experts'][number]['price'];

interface DrainProps {
  readonly expert: api.ExpertState;
  /** Its name; null for the whole expert. */
  readonly replica: string | null;
  readonly drained: boolean;
  /** Nobody else could answer. */
  readonly alone: boolean;
}

function Drain({ expert, replica, drained, alone }: DrainProps) {
  const text = words().experts;
  const what = replica ?? expert.id;
  const act = (verb: 'drain' | 'resume', done: string) => async (): Promise<string> => {
    await api.drain(verb, expert.id, replica);
    return done;
  };
  return drained ? (
    <Action label={text.resume} ask={text.resumeAsk(what)} act={act('resume', text.resumed)} />
  ) : (
    <Action
      label={text.drain}
      ask={`${text.drainAsk(what)}${alone ? ` ${text.drainLast}` : ''}`}
      act={act('drain', text.isDrained)}
    />
  );
}

interface OneProps {
  readonly expert: api.ExpertState;
  readonly mayOperate: boolean;
  /** No other expert can take requests. */
  readonly alone: boolean;
}

function One({ expert, mayOperate, alone }: OneProps) {
  const { experts: text, state } = words();
  const several = mayOperate && expert.replicas.length > 1 && !expert.drained;
  const { columns } = text;
  const topics = live.layout?.clusters.filter(({ owner }) => owner === expert.id).length ?? 0;
  const { fallback = false, about = null } = live.layout?.experts.find(({ id }) => id === expert.id) ?? {};
  return (
    <section class="card expert-card">
      <div class="row expert-head">
        <h2>
          <Expert id={expert.id} />
        </h2>
        <span class={`state ${expert.drained ? 'warn' : expert.available ? 'good' : 'bad'}`}>
          {expert.drained ? state.drained : expert.available ? state.available : state.unavailable}
        </span>
        <span class="hint">
          {topics > 0 ? text.topics(topics) : text.none}
          {fallback ? ` · ${text.fallback}` : ''}
        </span>
        <Cost id={expert.id} />
        {mayOperate ? <Drain expert={expert} replica={null} drained={expert.drained} alone={alone} /> : null}
      </div>
      {about === null ? null : <p class="hint">{about}</p>}
      <Table
        label={expert.id}
        head={[
          { text: columns.replica, left: true },
          { text: columns.health, left: true },
          { text: columns.breaker, left: true },
          columns.inFlight,
          columns.limit,
          columns.rate,
          { text: columns.engine, left: true },
          columns.running,
          columns.waiting,
          columns.cache,
          ...(several ? [{ text: text.service, left: true } as const] : []),
        ]}
      >
        {expert.replicas.map((replica) => {
          const { health, breaker, reported, engine } = replica;
          return (
            <tr key={replica.name}>
              <td class="left wrap">{replica.name}</td>
              <td class="left">
                <span class={`state ${HEALTH[health.state]}`}>{state[health.state]}</span>
                {replica.drained ? <span class="state warn">{state.drained}</span> : null}
              </td>
              <td class="left">
                <span class={`state ${BREAKER[breaker]}`}>{state[breaker]}</span>
              </td>
              <td>{count(replica.in_flight)}</td>
              <td>{replica.limit === null ? DASH : count(replica.limit)}</td>
              <td>{count(Math.round(replica.tokens_per_second))}</td>
              <td class="left">
                {engine ? [engine.name, engine.version].filter(Boolean).join(' ') : replica.kind}
              </td>
              <td>{reported.running === null ? DASH : count(reported.running)}</td>
              <td>{reported.waiting === null ? DASH : count(reported.waiting)}</td>
              <td>{percent(reported.kv_cache_use)}</td>
              {several ? (
                <td class="left">
                  <Drain
                    expert={expert}
                    replica={replica.name}
                    drained={replica.drained}
                    alone={alone && isLast(expert, replica)}
                  />
                </td>
              ) : null}
            </tr>
          );
        })}
      </Table>
      {expert.replicas.map(({ name, health }) =>
        health.state === 'ready' || !health.detail ? null : (
          <p key={name} class="problem">
            {name}: {health.detail}
          </p>
        ),
      )}
    </section>
  );
}

/** Whether no other replica of it takes requests. */
function isLast({ replicas }: api.ExpertState, replica: api.ExpertState['replicas'][number]): boolean {
  return replicas.every(
    (one) => one === replica || one.drained || one.health.state !== 'ready' || one.breaker === 'open',
  );
}
