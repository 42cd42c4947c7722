/**
 * A request's way to its expert and the answer's way back, with every exit counted exactly once. It knows
 * neither HTTP nor what kind an expert is of.
 */
import type { RouterError } from '../core/errors.ts';
import type { Expert, ExpertRequest, Generation, Outcome, ReplySink } from '../experts/expert.ts';
import type { RequestRecord, Telemetry } from '../telemetry/metrics.ts';
import type { ParsedRequest } from './request.ts';
import type { Routed, Router } from './router.ts';

/** What the wire adds to a parsed request. */
export interface Incoming {
  readonly request: ParsedRequest;
  /** Client headers that passed the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traceId: string;
}

export class Gateway {
  readonly router: Router;
  readonly experts: ReadonlyMap<string, Expert>;
  readonly #telemetry: Telemetry;

  constructor(router: Router, experts: readonly Expert[], telemetry: Telemetry) {
    this.router = router;
    this.experts = new Map(experts.map((expert) => [expert.id, expert]));
    this.#telemetry = telemetry;
  }

  /** Chooses for a request. The dry run ends here; the data path goes on with `answer`. */
  route(request: ParsedRequest, forced: string | undefined): Routed {
    return this.#telemetry.timeDecision(() => this.router.route(request, forced));
  }

  /** Lets the chosen expert answer into the sink. */
  answer(incoming: Incoming, routed: Routed, sink: ReplySink): Generation {
    const expert = this.experts.get(routed.decision.expert)!;
    const record = this.#telemetry.begin({
      expert: expert.id,
      cluster: routed.classification.cluster,
      reason: routed.decision.reason,
      stream: incoming.request.stream,
    });
    const counted = new CountedSink(sink, record);
    const generation = expert.generate(asExpertRequest(incoming), counted);
    return {
      resume: () => generation.resume(),
      cancel: () => {
        generation.cancel();
        record.end('cancelled', 'unknown');
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.experts.values()].map((expert) => expert.close()));
  }
}

function asExpertRequest({ request, headers, traceId }: Incoming): ExpertRequest {
  const { body } = request;
  if (request.endpoint === 'chat') return { endpoint: 'chat', json: request.json, body, headers, traceId };
  return { endpoint: 'completions', json: request.json, body, headers, traceId };
}

/** Passes a reply on and notes its milestones; `record` itself counts only the first ending it hears of. */
class CountedSink implements ReplySink {
  readonly #sink: ReplySink;
  readonly #record: RequestRecord;
  #status = 0;

  constructor(sink: ReplySink, record: RequestRecord) {
    this.#sink = sink;
    this.#record = record;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status;
    this.#sink.head(status, headers);
  }

  data(chunk: Uint8Array): boolean {
    this.#record.firstByte();
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
