/**
 * What it saves to let conversations stay where they are cached: simulated conversations over eight experts, decided by
 * the gateway's rule, by the same without its memory, and by fit and waiting alone. Times are those of a simple server.
 */
import { type Random, seededRandom } from '../../src/core/random.ts';
import { type Classification, classify } from '../../src/deciding/model/classify.ts';
import { decide } from '../../src/deciding/routing/decide.ts';
import { territoryOf } from '../../src/deciding/routing/described.ts';
import { spill } from '../../src/deciding/routing/policies/spill.ts';
import { type BoundPolicy, bindPolicy, type LoadSnapshot } from '../../src/deciding/routing/policy.ts';
import type { Territory } from '../../src/deciding/routing/territory.ts';
import { routableTurns } from '../../src/deciding/text/routable.ts';
import type { RouterModel } from '../../src/router.ts';
import { readYaml } from './expert-choice.ts';
import { type Conversations, EIGHT_EXPERTS, LANGUAGES } from './staying.ts';

/** A server: slots, tokens read and written a second, tokens of prefixes that its cache holds. */
const SERVER = { slots: 4, prefill: 5_000, decode: 40, cache: 300_000 };
const ANSWER = 200;
const CONVERSATIONS = 600;
const TURNS = 8;
/** Share of later turns that change the subject. */
const SWITCHES = 0.12;
/** Tokens that a turn adds: a question and its answer, or an agent's file. */
const ADDED = { least: 300, most: 4_000 };
/** Mean seconds between an answer and the next turn, and between beginnings of conversations. */
const THINKING = 20;
const BEGINNING = 3;

interface Turn {
  readonly conversation: number;
  readonly at: number;
  readonly number: number;
}

interface Talk {
  readonly turns: readonly (readonly Classification[])[];
  readonly tokens: readonly number[];
}

export interface MovingResult {
  readonly rule: string;
  /** Prompt tokens that were cached, of all. */
  readonly cached: number;
  /** Mean and 95th percentile, seconds. */
  readonly ttft: readonly [mean: number, p95: number];
  readonly moves: number;
  /** Turns that the expert answered to which they belong, had there been no load and no cache. */
  readonly suited: number;
}

/** Each rule sees the same conversations, beginning at the same times. */
export async function judgeMoving(model: RouterModel): Promise<readonly MovingResult[]> {
  const territory = await territoryOf(model, EIGHT_EXPERTS);
  const talks = Array.from({ length: CONVERSATIONS }, (_, n) => talkOf(model, seededRandom(n + 1)));
  const policy = bindPolicy(spill);
  const fitAndWait: BoundPolicy = {
    id: 'fit and waiting',
    rank: (context) =>
      policy.rank({ ...context, candidates: context.candidates.map((one) => ({ ...one, warmth: 1 })) }),
  };
  return [
    simulate('fit, waiting and prefill, remembering who answered', territory, talks, policy, true),
    simulate('the same, without memory', territory, talks, policy, false),
    simulate('fit and waiting alone', territory, talks, fitAndWait, false),
  ];
}

function talkOf(model: RouterModel, random: Random): Talk {
  const { openings, continuations, switches } = readYaml<Conversations>('conversations');
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const language = pick(LANGUAGES);
  const said = [pick(openings)[language]];
  while (said.length < TURNS)
    said.push(random.next() < SWITCHES ? pick(switches[language]).text : pick(continuations[language]));
  let tokens = 0;
  return {
    turns: said.map((_, at) => {
      const messages = said.slice(0, at + 1).map((content) => ({ role: 'user', content }));
      return routableTurns('chat', { messages }).map((turn) => classify(model, turn));
    }),
    tokens: said.map(() => (tokens += ADDED.least + random.below(ADDED.most - ADDED.least))),
  };
}

function simulate(
  rule: string,
  territory: Territory,
  talks: readonly Talk[],
  policy: BoundPolicy,
  remembers: boolean,
): MovingResult {
  const random = seededRandom(1);
  const servers = territory.experts.map(() => new Server());
  const idle = territory.experts.map(() => new Server().load(0));
  const livesAt = new Map<number, string>();
  const waiting: Turn[] = [];
  let at = 0;
  talks.forEach((_, conversation) => {
    at += exponential(BEGINNING, random);
    waiting.push({ conversation, at, number: 0 });
  });
  const times: number[] = [];
  let [asked, cached, moves, suited] = [0, 0, 0, 0];
  while (waiting.length > 0) {
    waiting.sort((a, b) => b.at - a.at);
    const turn = waiting.pop()!;
    const { turns, tokens } = talks[turn.conversation]!;
    const before = livesAt.get(turn.conversation) ?? null;
    const context = {
      request: {
        ...{ promptTokens: tokens[turn.number]!, outputTokens: ANSWER, prefixKey: null, priority: 0 },
        deadline: Number.POSITIVE_INFINITY,
      },
      random: 0,
      sequence: 0,
    };
    const classified = turns[turn.number]!;
    const loads = servers.map((one) => one.load(turn.at));
    const { expert } = decide(territory, classified, loads, policy, {
      ...context,
      livesAt: remembers ? before : null,
    });
    const alone = decide(territory, classified, idle, policy, {
      ...context,
      request: { ...context.request, promptTokens: 0 },
    });
    const served = servers[territory.experts.indexOf(expert)]!.serve(
      turn.at,
      turn.conversation,
      tokens[turn.number]!,
    );
    times.push(served.ttft);
    asked += tokens[turn.number]!;
    cached += served.cached;
    if (before !== null && before !== expert) moves += 1;
    if (alone.expert === expert) suited += 1;
    livesAt.set(turn.conversation, expert);
    if (turn.number + 1 < TURNS)
      waiting.push({ ...turn, number: turn.number + 1, at: served.end + exponential(THINKING, random) });
  }
  times.sort((a, b) => a - b);
  const mean = times.reduce((sum, one) => sum + one, 0) / times.length;
  return {
    rule,
    cached: cached / asked,
    ttft: [mean, times[Math.floor(0.95 * times.length)]!],
    moves: moves / talks.length,
    suited: suited / times.length,
  };
}

function exponential(mean: number, random: Random): number {
  return -mean * Math.log(1 - random.next());
}

/** Takes requests in order, a slot each; remembers the prefixes it read last. */
class Server {
  readonly #freeAt = new Array<number>(SERVER.slots).fill(0);
  #running: { readonly start: number; readonly end: number; readonly tokens: number }[] = [];
  /** Tokens by conversation, the least recently used first. */
  readonly #cache = new Map<number, number>();
  #seconds = 0;
  #tokens = 0;

  load(now: number): LoadSnapshot {
    this.#running = this.#running.filter(({ end }) => end > now);
    const queued = this.#running.filter(({ start }) => start > now).length;
    return {
      inFlight: this.#running.length - queued,
      queued,
      outstandingTokens: this.#running.reduce((sum, { tokens }) => sum + tokens, 0),
      tokensPerSecond: this.#seconds > 0 ? (SERVER.slots * this.#tokens) / this.#seconds : 0,
      prefillTokensPerSecond: SERVER.prefill,
      capacity: SERVER.slots,
      available: true,
    };
  }

  serve(now: number, conversation: number, tokens: number): { ttft: number; end: number; cached: number } {
    const slot = this.#freeAt.indexOf(Math.min(...this.#freeAt));
    const cached = Math.min(tokens, this.#cache.get(conversation) ?? 0);
    const start = Math.max(now, this.#freeAt[slot]!);
    const first = start + (tokens - cached) / SERVER.prefill;
    const end = first + ANSWER / SERVER.decode;
    this.#freeAt[slot] = end;
    this.#running.push({ start, end, tokens: tokens + ANSWER });
    this.#seconds += end - start;
    this.#tokens += tokens + ANSWER;
    this.#keep(conversation, tokens + ANSWER);
    return { ttft: first - now, end, cached };
  }

  #keep(conversation: number, tokens: number): void {
    this.#cache.delete(conversation);
    this.#cache.set(conversation, tokens);
    let sum = 0;
    for (const held of this.#cache.values()) sum += held;
    for (const [oldest, held] of this.#cache) {
      if (sum <= SERVER.cache) break;
      this.#cache.delete(oldest);
      sum -= held;
    }
  }
}

export function movingSection(results: readonly MovingResult[]): readonly string[] {
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  return [
    '## What staying saves\n',
    `${CONVERSATIONS} simulated conversations of ${TURNS} turns, each turn adding ${ADDED.least} to ${ADDED.most} tokens, ${100 * SWITCHES} % of the later ones a change of`,
    `subject (\`evaluation/decisions/moving.ts\`). Each of eight experts has ${SERVER.slots} slots, reads ${SERVER.prefill} tokens a second and caches`,
    `${SERVER.cache}. "Suited" are turns answered by the expert that would answer them without load and at no price of moving.\n`,
    '| rule | prompt tokens cached | TTFT, mean | p95 | moves a conversation | suited |',
    '|---|---|---|---|---|---|',
    ...results.map(
      ({ rule, cached, ttft: [mean, p95], moves, suited }) =>
        `| ${rule} | ${percent(cached)} | ${mean.toFixed(2)} s | ${p95.toFixed(2)} s | ${moves.toFixed(2)} | ${percent(suited)} |`,
    ),
    '',
  ];
}
