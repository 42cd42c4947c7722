/** What the router counts and times, as Prometheus metrics. It never sees a prompt, a key or an answer. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Usage } from '../core/openai.ts';

/** Seconds; from a cache hit to a long generation. */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** Seconds; a decision takes tens of microseconds to a few milliseconds. */
const DECISION_BUCKETS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];

export interface RequestLabels {
  readonly expert: string;
  readonly cluster: number;
  readonly reason: string;
  readonly stream: boolean;
}

export class Telemetry {
  readonly registry = new Registry();
  readonly #requests = this.#counter(
    'expert_router_requests_total',
    'Requests ended, by expert, reason of choice and how they ended',
    ['expert', 'reason', 'outcome'],
  );
  readonly #classified = this.#counter('expert_router_classified_total', 'Requests classified, by cluster', [
    'cluster',
  ]);
  readonly #promptTokens = this.#counter(
    'expert_router_prompt_tokens_total',
    'Prompt tokens, as experts reported them',
    ['expert'],
  );
  readonly #generatedTokens = this.#counter(
    'expert_router_generated_tokens_total',
    'Generated tokens, as experts reported them',
    ['expert'],
  );
  readonly #inFlight = new Gauge({
    name: 'expert_router_inflight',
    help: 'Requests with an expert now',
    labelNames: ['expert'],
    registers: [this.registry],
  });
  readonly #duration = this.#histogram(
    'expert_router_request_duration_seconds',
    'From choice to end of answer',
    DURATION_BUCKETS,
  );
  readonly #firstByte = this.#histogram(
    'expert_router_ttft_seconds',
    'From choice to the first byte of the answer',
    DURATION_BUCKETS,
  );
  readonly #decision = new Histogram({
    name: 'expert_router_decision_seconds',
    help: 'Time to classify a request and choose its expert',
    buckets: DECISION_BUCKETS,
    registers: [this.registry],
  });

  /** @param processMetrics also report CPU, memory and event-loop lag of the process */
  constructor(options: { processMetrics: boolean }) {
    if (options.processMetrics) collectDefaultMetrics({ register: this.registry });
  }

  timeDecision<T>(decide: () => T): T {
    const started = performance.now();
    const decided = decide();
    this.#decision.observe((performance.now() - started) / 1000);
    return decided;
  }

  /** Opens the record of one request; its first ending counts, later ones are ignored. */
  begin(labels: RequestLabels): RequestRecord {
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    const { expert, reason } = labels;
    let heard = false;
    let ended = false;
    this.#inFlight.inc({ expert });
    this.#classified.inc({ cluster: labels.cluster });
    return {
      firstByte: () => {
        if (!heard) this.#firstByte.observe({ expert }, seconds());
        heard = true;
      },
      end: (outcome, usage) => {
        if (ended) return;
        ended = true;
        this.#inFlight.dec({ expert });
        this.#requests.inc({ expert, reason, outcome });
        this.#duration.observe({ expert }, seconds());
        if (usage === 'unknown') return;
        this.#promptTokens.inc({ expert }, usage.prompt_tokens);
        this.#generatedTokens.inc({ expert }, usage.completion_tokens);
      },
    };
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram<'expert'> {
    return new Histogram({ name, help, buckets, labelNames: ['expert'], registers: [this.registry] });
  }
}

export interface RequestRecord {
  firstByte(): void;
  /** @param outcome `ok`, `cancelled`, `expert_error` (an error status relayed) or an error code */
  end(outcome: string, usage: Usage | 'unknown'): void;
}
