/** A request's way to its expert and the answer's way back, with every exit counted exactly once. */
import { RouterError } from '../../core/errors.ts';
import type { Decision } from '../../deciding/routing/decide.ts';
import { expectedWait } from '../../deciding/routing/expected-wait.ts';
import { keptAmong } from '../../deciding/routing/locality.ts';
import type { Ask } from '../dialects/ask.ts';
import { PASSED } from '../dialects/passed.ts';
import type { Generation, Outcome } from '../experts/expert.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import type { Failure } from '../reply/failure.ts';
import type { Telemetry } from '../telemetry/metrics.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import {
  type Answerer,
  type AttemptPlan,
  type AttemptSink,
  Attempts,
  codeOf,
  type Journey,
} from './attempts.ts';
import { shapeOf } from './blame.ts';
import { type Caller, Conversations } from './conversations.ts';
import { type LeftOut, leftOut } from './fitting.ts';
import { FirstByteTimes, Hedge } from './hedge.ts';
import { HEDGE_SHARE, RETRIES_PER_SECOND, RETRY_SHARE, RetryBudget } from './retry-budget.ts';
import type { Routable, Routed, Router } from './router.ts';
import type { Shadow } from './shadow.ts';

/** What the wire adds to a request. */
export interface Incoming extends Caller {
  readonly ask: Ask;
  /** Client headers that passed the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traceId: string;
  /** Told of its tries. */
  readonly journey?: Journey;
}

const NOBODY: Caller = { tenant: '', session: null };

export interface GatewayOptions {
  /** Milliseconds a whole request may take. */
  readonly requestTimeout: number;
  /** Whether a stream slower to start than 19 of 20 may be tried at a second expert as well. */
  readonly hedge: boolean;
  /** Milliseconds of silence after which a stream gets a sign of life. */
  readonly heartbeat: number;
  /** Milliseconds since 1970. */
  epoch(): number;
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Milliseconds a stream may take to its first byte, by expert. */
  firstTokenTimeout(expert: string): number;
  /** Remembered beyond this config; its own when absent. */
  readonly conversations?: Conversations;
  readonly shadow?: Shadow | null;
}

export class Gateway {
  readonly router: Router;
  /** Null where the config names none, or there is none yet. */
  readonly shadow: Shadow | null;
  readonly fleet: Fleet;
  readonly #telemetry: Telemetry;
  readonly #options: GatewayOptions;
  readonly #retries: RetryBudget;
  readonly #hedges: RetryBudget;
  readonly firstBytes = new FirstByteTimes();
  readonly conversations: Conversations;
  readonly #allText: boolean;
  readonly #firstTokenMs = (group: ExpertGroup): number => this.#options.firstTokenTimeout(group.id);
  readonly #mayRetry = (): boolean => this.#retries.spend();

  constructor(router: Router, fleet: Fleet, telemetry: Telemetry, options: GatewayOptions) {
    this.router = router;
    this.shadow = options.shadow ?? null;
    this.fleet = fleet;
    this.#allText = [...fleet.groups.values()].every(({ offers }) => offers.answersText);
    this.#telemetry = telemetry;
    this.conversations = options.conversations ?? new Conversations();
    this.#options = options;
    const now = (): number => options.now();
    this.#retries = new RetryBudget(RETRY_SHARE, RETRIES_PER_SECOND, now);
    this.#hedges = new RetryBudget(HEDGE_SHARE, 0, now);
  }

  /** Milliseconds that never run backwards. */
  now(): number {
    return this.#options.now();
  }

  /** Chooses for a request; a promise as `Router.route`. The dry run ends here, the data path goes on with `answer`. */
  route(
    ask: Ask,
    forced: string | undefined,
    priority = 0,
    local: string | null = null,
    caller: Caller = NOBODY,
  ): Routed | Promise<Routed> {
    return this.#telemetry.timeDecision(() => {
      const routed = this.router.route(this.#routable(ask, caller), forced, priority, local);
      return routed instanceof Promise
        ? routed.then((all) => this.#among(ask, all))
        : this.#among(ask, routed);
    });
  }

  /** With what is known of the conversation beside its turns. */
  #routable(ask: Ask, caller: Caller): Routable {
    const bound = this.conversations.boundTo(ask, caller);
    const livesAt = this.conversations.livesAt(ask, caller);
    const { tenant } = caller;
    if (bound === null && livesAt === null && caller.session === null && tenant === '') return ask;
    const { model, turns, affinityKey, answerLimit, body, stored, toolLoop } = ask;
    const key = caller.session ?? affinityKey;
    return { model, turns, affinityKey: key, answerLimit, body, stored, toolLoop, tenant, bound, livesAt };
  }

  /** The choice among experts that can answer the request. */
  #among(ask: Ask, routed: Routed): Routed {
    const answering = ask.dialect.writer !== null && this.#allText ? routed : this.#able(ask, routed);
    return ask.dialect.writer === null ? answering : this.#fitting(ask, answering);
  }

  /** Without those that its prompt does not fit, as long as one is left; one that the client insists on judges itself. */
  #fitting(ask: Ask, routed: Routed): Routed {
    const out = leftOut(ask, this.fleet.groups.values());
    if (out.length === 0) return routed;
    const without = (some: readonly LeftOut[]) =>
      keptAmong(
        routed.decision,
        new Set([...this.fleet.groups.keys()].filter((id) => !some.some(({ expert }) => expert === id))),
        'able',
      );
    const decision = without(out);
    if (decision !== null) return { ...routed, decision, leftOut: out };
    const unable = out.filter((one) => one.for === 'input');
    const roomless = without(out.filter((one) => one.for !== 'room')) ?? without(unable);
    if (roomless === null) {
      const { why } = unable.find(({ expert }) => expert === routed.decision.expert) ?? unable[0]!;
      throw new RouterError(
        'unsupported_request',
        `Expert '${routed.decision.expert}' cannot answer this: ${why} (takes in the config).`,
      );
    }
    const isShort = out.some((one) => one.for === 'room');
    return { ...routed, decision: isShort ? this.#roomiestFirst(roomless) : roomless, leftOut: out };
  }

  /** Where nobody seems to have room, the estimate may be wrong. */
  #roomiestFirst(decision: Routed['decision']): Routed['decision'] {
    if (decision.reason === 'named' || decision.reason === 'forced') return decision;
    const room = (id: string): number =>
      this.fleet.groups.get(id)!.offers.context ?? Number.POSITIVE_INFINITY;
    const ranking = decision.ranking.toSorted((a, b) => room(b.expert) - room(a.expert) || 0);
    const expert = ranking[0]!.expert;
    return { ...decision, expert, ranking, reason: expert === decision.expert ? decision.reason : 'able' };
  }

  /** The choice among experts that can answer requests of the dialect, where not all can. */
  #able({ dialect, model, otherwise }: Ask, routed: Routed): Routed {
    const { id, writer, oneExpert = false } = dialect;
    const path = dialect.paths[0].split('?', 1)[0]!;
    const speaks = ({ offers }: ExpertGroup): boolean =>
      offers.speaks(id) || (otherwise !== undefined && offers.speaks(otherwise.dialect.id));
    const able = [...this.fleet.groups.values()]
      .filter(
        (one) =>
          speaks(one) || (id === PASSED ? one.offers.passes : writer !== null && one.offers.answersText),
      )
      .map((one) => one.id);
    const asksOne = oneExpert || id === PASSED;
    const isAuto = asksOne && routed.decision.reason !== 'forced' && this.router.names.isAuto(model);
    if (id === PASSED && isAuto && able.length > 1)
      throw new RouterError('invalid_request', `Name the expert to ask: ${able.join(', ')}, or an alias.`, {
        param: 'model',
      });
    const first = oneExpert && isAuto ? able.slice(0, 1) : able;
    const decision = keptAmong(routed.decision, new Set(first), 'able');
    if (decision !== null) return { ...routed, decision };
    if (able.length === 0) {
      throw new RouterError(
        'not_found',
        id === PASSED
          ? `No expert here answers ${path}: those of kind openai pass it to their server, and there is none.`
          : `No expert here answers ${path}. One whose server does must say so in the config, as in capabilities: [chat, embeddings].`,
      );
    }
    throw new RouterError(
      'unsupported_request',
      `Expert '${routed.decision.expert}' does not answer ${path}. These do: ${able.join(', ')}.`,
    );
  }

  /** Milliseconds until a replica of the chosen expert would be asked, as its load is now. */
  expectedWait({ decision }: Routed): number {
    return expectedWait(this.fleet.groups.get(decision.expert)!.load()) * 1000;
  }

  /** Lets the chosen expert answer into the sink; where it cannot, the next of the ranking may. */
  answer(incoming: Incoming, routed: Routed, sink: AttemptSink): Generation {
    const { decision, classification } = routed;
    const record = this.#telemetry.begin({
      expert: decision.expert,
      cluster: classification.cluster,
      reason: decision.reason,
      dialect: incoming.ask.dialect.id,
    });
    this.#retries.request();
    this.#hedges.request();
    const counted = new Counted(sink, record, this, incoming, decision);
    counted.generation = this.#attempts(incoming, routed, counted);
    return counted;
  }

  /** One sequence of tries, or two where the first is slow to start and that is wanted. */
  #attempts(incoming: Incoming, routed: Routed, sink: AttemptSink): Generation {
    const { hedge } = this.#options;
    const plan = this.#plan(incoming, routed);
    const { groups, claimed } = plan;
    const delayMs =
      hedge && incoming.ask.stream && groups.length > 1 ? this.firstBytes.p95(groups[0]!.id) : null;
    if (delayMs === null) return new Attempts(plan, sink);
    return new Hedge(
      {
        delayMs,
        mayHedge: () => groups.some((group) => !claimed.includes(group)) && this.#hedges.spend(),
        run: (lane) => new Attempts(plan, lane),
      },
      sink,
    );
  }

  #plan(incoming: Incoming, routed: Routed): AttemptPlan {
    const { ask, headers, traceId, tenant, journey } = incoming;
    return {
      groups: this.candidates(routed),
      claimed: [],
      request: { ask, headers, traceId, insisted: isInsisted(routed) },
      stream: ask.stream,
      promptTokens: routed.view.promptTokens,
      outputTokens: routed.view.outputTokens,
      affinityKey: routed.view.prefixKey,
      priority: routed.view.priority,
      tenant,
      firstTokenMs: this.#firstTokenMs,
      totalMs: this.#options.requestTimeout,
      heartbeatMs: this.#options.heartbeat,
      shape: () => shapeOf(ask),
      epoch: this.#options.epoch,
      mayRetry: this.#mayRetry,
      journey,
    };
  }

  /** The first byte of an answer. @param since when it was asked for */
  answering(expert: string, since: number): void {
    if (this.#options.hedge) this.firstBytes.record(expert, this.now() - since);
  }

  /** Who may answer: all in order of the ranking, or the one expert the client insists on. */
  candidates(routed: Routed): readonly ExpertGroup[] {
    const { decision } = routed;
    const ranking = isInsisted(routed) ? decision.ranking.slice(0, 1) : decision.ranking;
    return ranking.map((ranked) => this.fleet.groups.get(ranked.expert)!);
  }
}

/** Whether the client asks this expert and no other. */
export function isInsisted({ decision: { reason } }: Routed): boolean {
  return reason === 'named' || reason === 'forced';
}

/** Passes a reply on and notes its milestones; `record` itself counts only the first ending it hears of. */
class Counted implements AttemptSink, Generation {
  /** What is counted; set before anybody outside has it. */
  generation: Generation | null = null;
  readonly #sink: AttemptSink;
  readonly #record: RequestRecord;
  readonly #gateway: Gateway;
  readonly #incoming: Incoming;
  readonly #decision: Decision;
  #by: string | null = null;
  readonly #started: number;

  constructor(
    sink: AttemptSink,
    record: RequestRecord,
    gateway: Gateway,
    incoming: Incoming,
    decision: Decision,
  ) {
    this.#decision = decision;
    this.#started = gateway.now();
    this.#sink = sink;
    this.#record = record;
    this.#gateway = gateway;
    this.#incoming = incoming;
  }

  resume(): void {
    this.generation?.resume();
  }

  cancel(): void {
    this.generation?.cancel();
    this.#record.end('cancelled', 'unknown');
  }

  served(by: Answerer): void {
    this.#gateway.answering(by.expert, this.#started);
    this.#by = by.expert;
    this.#gateway.conversations.answered(this.#incoming.ask, this.#incoming, by.expert, this.#decision);
    this.#record.served(by.expert, by.tries);
    this.#sink.served(by);
  }

  waiting(): void {
    this.#sink.waiting();
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#record.firstByte();
    this.#sink.head(status, headers);
  }

  data(chunk: Uint8Array): boolean {
    return this.#sink.data(chunk);
  }

  end(outcome: Outcome): void {
    const { usage } = outcome;
    const { livedAt } = this.#decision;
    if (usage !== 'unknown' && livedAt !== null && livedAt === this.#by)
      this.#gateway.fleet.groups.get(livedAt)?.cached(usage);
    this.#record.end('ok', usage);
    this.#sink.end(outcome);
  }

  fail(failure: Failure, by: Answerer | null): void {
    if (by) this.#record.served(by.expert, by.tries);
    this.#record.end(codeOf(failure), 'unknown');
    this.#sink.fail(failure, by);
  }
}
