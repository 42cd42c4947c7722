/** Why a prompt goes where it goes: the choice, the words that decided, what each expert would cost, and the topics near by. */
import { reasonText } from '../../../src/serving/board/story.ts';
import type * as api from '../api.ts';
import { colourOf } from '../colours.ts';
import { count, DASH, decimal, duration, percent } from '../format.ts';
import { live } from '../live.ts';
import { Bar, Card, Expert, Table } from '../parts/bits.tsx';
import { words } from '../words/index.ts';

type Text = ReturnType<typeof words>['decide'];

const NEAREST = 5;
/** Punctuation and what hardly weighs has a part in every choice, and explains none. */
const WORD = /[\p{L}\p{N}]/u;
const LEAST_SHARE = 0.01;

export function Verdict({ answer }: { answer: api.RouteAnswer }) {
  const text = words().decide;
  const { expert, home, reason, confidence, cluster, cluster_name, spilled_for: spilledFor = null } = answer;
  const owner = live.layout?.clusters[cluster]?.owner ?? null;
  return (
    <section class="card verdict" style={{ borderColor: colourOf(expert) }}>
      <p class="goes">
        <span>{text.goesTo}</span>
        <strong style={{ color: colourOf(expert) }}>{expert}</strong>
      </p>
      <p>{reasonText({ expert, home, reason, spilledFor, owner }, text)}</p>
      <p class="topic">{text.topic(cluster_name, cluster)}</p>
      <p class="sure">
        <Bar share={confidence} colour={colourOf(expert)} />
        <span>{text.confidence(percent(confidence))}</span>
      </p>
      <p class="hint">{text.confidenceHint}</p>
    </section>
  );
}

/** Between whom the words decided: of a conversation that stays, where its last turn alone would have gone. */
function hint({ expert, terms }: api.RouteAnswer, text: Text): string {
  if (terms.expert === undefined || terms.rival === undefined) return text.readNearest;
  return (terms.expert === expert ? text.readHint : text.readAlone)(terms.expert, terms.rival);
}

export function Words({ answer }: { answer: api.RouteAnswer }) {
  const text = words().decide;
  const { terms: told, unread_parts: unread } = answer;
  const all = [...told.for, ...told.against].reduce((sum, { weight }) => sum + Math.abs(weight), 0);
  const heard = (terms: readonly api.Term[]): readonly api.Term[] =>
    terms.filter(({ term, weight }) => WORD.test(term) && Math.abs(weight) >= LEAST_SHARE * all);
  const terms = { ...told, for: heard(told.for), against: heard(told.against) };
  const marks = new Map(
    [...terms.for, ...terms.against].map(({ term, weight }) => [term.toLowerCase(), weight]),
  );
  return (
    <Card title={text.read}>
      <p class="hint">{marks.size === 0 ? text.noWords : hint(answer, text)}</p>
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

export function Candidates({ answer }: { answer: api.RouteAnswer }) {
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

export function Nearest({ answer }: { answer: api.RouteAnswer }) {
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
