/**
 * A request's way to its expert and the answer's way back, with every exit counted exactly once. It knows neither
 * HTTP nor what kind an expert is of.
 */
import type { RouterError } from '../../core/errors.ts';
import type { ExpertRequest, Generation, Outcome, ReplySink } from '../experts/expert.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import type { RequestRecord, Telemetry } from '../telemetry/metrics.ts';
import { type AttemptPlan, type AttemptSink, Attempts } from './attempts.ts';
import { FirstByteTimes, Hedge } from './hedge.ts';
import type { ParsedRequest } from './request.ts';
import { HEDGE_SHARE, RETRY_SHARE, RetryBudget } from './retry-budget.ts';
import type { Routed, Router } from './router.ts';

/** What the wire adds to a parsed request. */
export interface Incoming {
  readonly request: ParsedRequest;
  /** Client headers that passed the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traceId: string;
  /** Whose request it is, for fairness between keys. */
  readonly tenant: string;
}

/** Where an answer goes, and who turned out to give it. */
export interface GatewaySink extends ReplySink {
  /** Called before `head`. @param tries 1 unless others failed before the first byte */
  served(expert: string, tries: number): void;
  /** The stream waits for a place; may come again and again, before `served`. */
  waiting(): void;
}

export interface GatewayOptions {
  /** Milliseconds a whole request may take. */
  readonly requestTimeout: number;
  /** Whether a stream slower to start than 19 of 20 may be tried at a second expert as well. */
  readonly hedge: boolean;
  /** Milliseconds between signs of life to a stream that waits in line. */
  readonly heartbeat: number;
  /** Milliseconds a stream may take to its first byte, by expert. */
  firstTokenTimeout(expert: string): number;
}

export class Gateway {
  readonly router: Router;
  readonly fleet: Fleet;
  readonly #telemetry: Telemetry;
  readonly #options: GatewayOptions;
  readonly #retries = new RetryBudget(RETRY_SHARE);
  readonly #hedges = new RetryBudget(HEDGE_SHARE);
  readonly #firstBytes = new FirstByteTimes();

  constructor(router: Router, fleet: Fleet, telemetry: Telemetry, options: GatewayOptions) {
    this.router = router;
    this.fleet = fleet;
    this.#telemetry = telemetry;
    this.#options = options;
  }

  /** Chooses for a request; a promise as `Router.route`. The dry run ends here, the data path goes on with `answer`. */
  route(request: ParsedRequest, forced: string | undefined, priority = 0): Routed | Promise<Routed> {
    return this.#telemetry.timeDecision(() => this.router.route(request, forced, priority));
  }

  /** Lets the chosen expert answer into the sink; where it cannot, the next of the ranking may. */
  answer(incoming: Incoming, routed: Routed, sink: GatewaySink): Generation {
    const { decision, classification } = routed;
    const record = this.#telemetry.begin({
      expert: decision.expert,
      cluster: classification.cluster,
      reason: decision.reason,
    });
    this.#retries.request();
    this.#hedges.request();
    const counted = new CountedSink(sink, record, (expert, ms) => this.#firstBytes.record(expert, ms));
    const attempts = this.#attempts(incoming, routed, this.#candidates(routed), counted);
    return {
      resume: () => attempts.resume(),
      cancel: () => {
        attempts.cancel();
        record.end('cancelled', 'unknown');
      },
    };
  }

  /** One line of tries, or two where the first is slow to start and that is wanted. */
  #attempts(
    incoming: Incoming,
    routed: Routed,
    groups: readonly ExpertGroup[],
    sink: CountedSink,
  ): Generation {
    const { hedge } = this.#options;
    const delayMs =
      hedge && incoming.request.stream && groups.length > 1 ? this.#firstBytes.p95(groups[0]!.id) : null;
    const plan = this.#plan(incoming, routed);
    if (delayMs === null) return new Attempts({ ...plan, groups }, sink);
    return new Hedge(
      {
        delayMs,
        mayHedge: () => this.#hedges.spend(),
        first: (lane) => new Attempts({ ...plan, groups }, lane),
        second: (lane) => new Attempts({ ...plan, groups: groups.slice(1) }, lane),
      },
      sink,
    );
  }

  #plan(incoming: Incoming, routed: Routed): Omit<AttemptPlan, 'groups'> {
    const { request, tenant } = incoming;
    return {
      request: asExpertRequest(incoming),
      stream: request.stream,
      promptTokens: routed.view.promptTokens,
      outputTokens: routed.view.outputTokens,
      affinityKey: routed.view.prefixKey,
      priority: routed.view.priority,
      tenant,
      firstTokenMs: (group) => this.#options.firstTokenTimeout(group.id),
      totalMs: this.#options.requestTimeout,
      heartbeatMs: this.#options.heartbeat,
      mayRetry: () => this.#retries.spend(),
    };
  }

  /** Who may answer: all in order of the ranking, or the one expert the client insists on. */
  #candidates({ decision }: Routed): readonly ExpertGroup[] {
    const insisted = decision.reason === 'named' || decision.reason === 'forced';
    const ranking = insisted ? decision.ranking.slice(0, 1) : decision.ranking;
    return ranking.map((ranked) => this.fleet.groups.get(ranked.expert)!);
  }
}

function asExpertRequest({ request, headers, traceId }: Incoming): ExpertRequest {
  const { body, partial, members, withoutHalves } = request;
  const common = {
    body,
    headers,
    traceId,
    partial,
    ...(members ? { members } : {}),
    ...(withoutHalves ? { withoutHalves } : {}),
  };
  if (request.endpoint === 'chat') return { ...common, endpoint: 'chat', json: request.json };
  return { ...common, endpoint: 'completions', json: request.json };
}

/** Passes a reply on and notes its milestones; `record` itself counts only the first ending it hears of. */
class CountedSink implements AttemptSink {
  readonly #sink: GatewaySink;
  readonly #record: RequestRecord;
  readonly #onFirstByte: (expert: string, milliseconds: number) => void;
  readonly #started = performance.now();
  #status = 0;

  constructor(
    sink: GatewaySink,
    record: RequestRecord,
    onFirstByte: (expert: string, milliseconds: number) => void,
  ) {
    this.#sink = sink;
    this.#record = record;
    this.#onFirstByte = onFirstByte;
  }

  served(expert: string, tries: number): void {
    this.#onFirstByte(expert, performance.now() - this.#started);
    this.#record.served(expert, tries);
    this.#sink.served(expert, tries);
  }

  waiting(): void {
    this.#sink.waiting();
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status;
    this.#record.firstByte();
    this.#sink.head(status, headers);
  }

  data(chunk: Uint8Array): boolean {
    return this.#sink.data(chunk);
  }

  end(outcome: Outcome): void {
    this.#record.end(this.#status < 400 ? 'ok' : 'expert_error', outcome.usage);
    this.#sink.end(outcome);
  }

  fail(error: RouterError): void {
    this.#record.end(error.code, 'unknown');
    this.#sink.fail(error);
  }
}
