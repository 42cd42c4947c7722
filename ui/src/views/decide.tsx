/** A prompt tried out: where it would go and why, as it is typed; then asked of one expert or of several side by side. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { reasonText } from '../../../src/serving/board/story.ts';
import type { Viewer } from '../../../src/serving/board/wire.ts';
import * as api from '../api.ts';
import { colourOf } from '../colours.ts';
import { count, DASH, decimal, duration, percent } from '../format.ts';
import { live } from '../live.ts';
import { Bar, Card, Empty, Expert, Table, useLive } from '../parts/bits.tsx';
import { words } from '../words/index.ts';
import { Answers, type Turn } from './answers.tsx';

const DELAY_MS = 250;
const ROLES = ['user', 'assistant', 'system'] as const;
const NEAREST = 5;

/** What was typed last, so that another view and back loses nothing. */
let typed: readonly Turn[] = [{ role: 'user', content: '' }];

export function Decide({ viewer }: { viewer: Viewer }) {
  useLive();
  const text = words().decide;
  const [turns, setTurns] = useState(typed);
  const [answer, setAnswer] = useState<api.RouteAnswer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const asked = useRef(0);
  typed = turns;
  const empty = turns.every(({ content }) => content.trim() === '');

  useEffect(() => {
    const number = ++asked.current;
    if (empty) {
      setAnswer(null);
      setProblem(null);
      return;
    }
    const timer = setTimeout(async () => {
      try {
        const response = await api.post('route', { model: 'auto', messages: turns });
        const decided = (await response.json()) as api.RouteAnswer;
        if (number === asked.current) setAnswer(decided);
        if (number === asked.current) setProblem(null);
      } catch (error) {
        if (number === asked.current) setProblem(words().failed((error as Error).message));
      }
    }, DELAY_MS);
    return () => clearTimeout(timer);
  }, [turns, empty]);

  const change = (place: number, part: Partial<Turn>): void =>
    setTurns(turns.map((turn, index) => (index === place ? { ...turn, ...part } : turn)));
  const mayAsk = viewer.roles.includes('ask');
  return (
    <>
      <p class="lead">{mayAsk ? text.lead : words().notAllowed('ask')}</p>
      <div class="decide">
        <form class="card turns" onSubmit={(event) => event.preventDefault()}>
          {turns.map((turn, place) => (
            <div class="turn" key={place}>
              {turns.length > 1 ? (
                <div class="turn-head">
                  <select
                    aria-label={text.role}
                    value={turn.role}
                    onChange={({ currentTarget }) =>
                      change(place, { role: currentTarget.value as Turn['role'] })
                    }
                  >
                    {ROLES.map((role) => (
                      <option key={role} value={role}>
                        {text.roles[role]}
                      </option>
                    ))}
                  </select>
                  <button
                    type="button"
                    class="quiet"
                    onClick={() => setTurns(turns.filter((_, index) => index !== place))}
                  >
                    {text.remove}
                  </button>
                </div>
              ) : null}
              <textarea
                rows={turns.length > 1 ? 2 : 5}
                aria-label={text.prompt}
                placeholder={place === 0 ? text.placeholder : ''}
                value={turn.content}
                onInput={({ currentTarget }) => change(place, { content: currentTarget.value })}
              />
            </div>
          ))}
          <div class="row">
            <button
              type="button"
              class="quiet"
              onClick={() =>
                setTurns([
                  ...turns,
                  { role: turns.at(-1)?.role === 'user' ? 'assistant' : 'user', content: '' },
                ])
              }
            >
              + {text.add}
            </button>
          </div>
          {empty ? (
            <div class="samples">
              <span>{text.examples}</span>
              {text.samples.map((sample) => (
                <button
                  type="button"
                  class="chip"
                  key={sample}
                  onClick={() => setTurns([{ role: 'user', content: sample }])}
                >
                  {sample}
                </button>
              ))}
            </div>
          ) : null}
          {problem === null ? null : (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
        </form>
        <div class="decision" aria-live="polite">
          {answer === null ? <Empty>{text.empty}</Empty> : <Verdict answer={answer} />}
        </div>
      </div>
      {answer === null ? null : (
        <div class="grid">
          <Words answer={answer} />
          <div class="stack">
            <Candidates answer={answer} />
            <Nearest answer={answer} />
          </div>
        </div>
      )}
      {answer === null || !mayAsk ? null : <Answers turns={turns} decided={answer} />}
    </>
  );
}

function Verdict({ answer }: { answer: api.RouteAnswer }) {
  const text = words().decide;
  const { expert, home, reason, confidence, cluster, cluster_name, spilled_for: spilledFor = null } = answer;
  return (
    <section class="card verdict" style={{ borderColor: colourOf(expert) }}>
      <p class="goes">
        <span>{text.goesTo}</span>
        <strong style={{ color: colourOf(expert) }}>{expert}</strong>
      </p>
      <p>{reasonText({ expert, home, reason, spilledFor }, text)}</p>
      <p class="topic">{text.topic(cluster_name, cluster)}</p>
      <p class="sure">
        <Bar share={confidence} colour={colourOf(expert)} />
        <span>{text.confidence(percent(confidence))}</span>
      </p>
      <p class="hint">{text.confidenceHint}</p>
    </section>
  );
}

function Words({ answer }: { answer: api.RouteAnswer }) {
  const text = words().decide;
  const { terms, unread_parts: unread } = answer;
  const all = [...terms.for, ...terms.against].reduce((sum, { weight }) => sum + Math.abs(weight), 0);
  const marks = new Map(
    [...terms.for, ...terms.against].map(({ term, weight }) => [term.toLowerCase(), weight]),
  );
  return (
    <Card title={text.read}>
      <p class="hint">{marks.size === 0 ? text.noWords : text.readHint(terms.expert, terms.rival)}</p>
      <p class="read">
        {marked(answer.text, marks).map(({ said, weight }, place) =>
          weight === null ? (
            said
          ) : (
            <mark key={place} class={weight > 0 ? 'for' : 'against'}>
              {said}
            </mark>
          ),
        )}
      </p>
      {unread > 0 ? <p class="hint">{text.unread(unread)}</p> : null}
      <Terms title={text.for(terms.expert)} terms={terms.for} all={all} kind="for" />
      <Terms title={text.against(terms.rival)} terms={terms.against} all={all} kind="against" />
    </Card>
  );
}

function Terms({
  title,
  terms,
  all,
  kind,
}: {
  title: string;
  terms: readonly api.Term[];
  /** What the weights of all words shown add up to. */
  all: number;
  kind: 'for' | 'against';
}) {
  if (terms.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class={`terms ${kind}`}>
        {terms.map(({ term, weight }) => (
          <li key={term}>
            <span class="term">{term}</span>
            <Bar share={Math.abs(weight) / all} colour={kind === 'for' ? 'var(--accent)' : 'var(--soft)'} />
            <span class="weight">{percent(Math.abs(weight) / all)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

const MOST_MARKED = 4_000;

/** The text in pieces, those that are words with a weight apart. */
export function marked(
  text: string,
  weights: ReadonlyMap<string, number>,
): readonly { readonly said: string; readonly weight: number | null }[] {
  const shown = text.length > MOST_MARKED ? `${text.slice(0, MOST_MARKED)} …` : text;
  if (weights.size === 0) return [{ said: shown, weight: null }];
  const terms = [...weights.keys()].sort((a, b) => b.length - a.length).map(patternOf);
  const pattern = new RegExp(`(${terms.join('|')})`, 'giu');
  return shown.split(pattern).map((said) => ({ said, weight: weights.get(said.toLowerCase()) ?? null }));
}

/** Where words are set apart by spaces, a term is a whole one. */
function patternOf(term: string): string {
  const plain = term.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const apart = !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(term);
  return apart ? `(?<![\\p{L}\\p{N}])${plain}(?![\\p{L}\\p{N}])` : plain;
}

function Candidates({ answer }: { answer: api.RouteAnswer }) {
  const text = words().decide;
  const costs = answer.ranking.flatMap(({ cost }) => cost ?? []);
  const dearest = Math.max(...costs.map(({ total }) => total), 1e-9);
  const priced = costs.length > 0;
  return (
    <Card title={text.candidates}>
      <p class="hint">{priced ? text.costHint : text.candidatesHint}</p>
      {priced ? <CostLegend /> : null}
      <Table
        label={text.candidates}
        head={[
          { text: words().now.columns.expert, left: true },
          { text: text.fit, left: true },
          priced ? { text: text.costs, left: true } : text.wait,
        ]}
      >
        {answer.ranking.map(({ expert, affinity, cost }) => {
          const now = live.experts[expert];
          const away = now?.available === false;
          return (
            <tr key={expert} class={away ? 'away' : undefined}>
              <td class="left">
                <Expert id={expert} />
                {expert === answer.expert ? <small class="tag">{text.chosen}</small> : null}
                {expert === answer.home && answer.home !== answer.expert ? (
                  <small class="tag">{text.best}</small>
                ) : null}
                {away ? (
                  <small class="tag bad">{words().state[now.drained ? 'drained' : 'unavailable']}</small>
                ) : null}
              </td>
              <td class="left load">
                <Bar share={affinity} colour={colourOf(expert)} />
                <span>{percent(affinity)}</span>
              </td>
              {cost ? (
                <td class="left load">
                  <CostBar cost={cost} most={dearest} />
                </td>
              ) : (
                <td>{now ? duration(now.expectedMs) : DASH}</td>
              )}
            </tr>
          );
        })}
      </Table>
    </Card>
  );
}

const PARTS = ['fit', 'wait', 'load', 'prefill'] as const;

/** What choosing an expert costs, part by part, in one bar. */
function CostBar({ cost, most }: { cost: api.Cost; most: number }) {
  const text = words().decide.cost;
  const said = PARTS.map((part) => `${text[part]}: ${duration(cost[part] * 1000)}`).join(', ');
  return (
    <span class="cost" title={said}>
      <span class="timing" role="img" aria-label={said}>
        {PARTS.filter((part) => cost[part] > 0).map((part) => (
          <i key={part} class={part} style={{ width: `${(100 * cost[part]) / most}%` }} />
        ))}
      </span>
      <span>{duration(cost.total * 1000)}</span>
    </span>
  );
}

function CostLegend() {
  const text = words().decide.cost;
  return (
    <ul class="legend">
      {PARTS.map((part) => (
        <li key={part}>
          <i class={part} aria-hidden="true" />
          {text[part]}
        </li>
      ))}
    </ul>
  );
}

function Nearest({ answer }: { answer: api.RouteAnswer }) {
  const text = words().decide;
  const nearest = answer.distances
    .map((distance, cluster) => ({ distance, cluster }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEAREST);
  const topics = live.layout?.clusters;
  return (
    <Card title={text.topics}>
      <Table label={text.topics} head={[{ text: words().topics.columns.topic, left: true }, text.distance]}>
        {nearest.map(({ distance, cluster }) => {
          const topic = topics?.[cluster];
          return (
            <tr key={cluster}>
              <td class="left wrap">
                <i
                  class="spot"
                  style={{ background: topic ? colourOf(topic.owner) : 'var(--soft)' }}
                  aria-hidden="true"
                />
                {topic?.name ?? count(cluster)}
              </td>
              <td>{decimal(distance)}</td>
            </tr>
          );
        })}
      </Table>
    </Card>
  );
}
