/** What the router counts and times, as Prometheus metrics. It never sees a prompt, a key or an answer. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Usage } from '../reply/reply.ts';

/** Seconds; from a cache hit to a long generation. */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** Seconds; a decision takes tens of microseconds to a few milliseconds. */
const DECISION_BUCKETS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];

/** What one replica's engine last reported; null for what it does not tell. */
export interface EngineLoad {
  readonly expert: string;
  readonly replica: string;
  readonly running: number | null;
  readonly waiting: number | null;
  readonly kvCacheUse: number | null;
  readonly ageSeconds: number;
}

export interface RequestLabels {
  readonly expert: string;
  readonly cluster: number;
  readonly reason: string;
}

/** A request that has ended, as far as it is counted by key. */
interface KeyedRequest {
  /** A name from the config. */
  readonly key: string | null;
  readonly status: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

/** Of all keys that the config does not know together: what clients send is never a label. No key can be called so. */
const UNKNOWN_KEY = '';

export class Telemetry {
  readonly registry = new Registry();
  /** Milliseconds that never run backwards. */
  readonly #now: () => number;
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
  readonly #retries = this.#counter(
    'expert_router_retries_total',
    'Tries after the first, by the expert that answered',
    ['expert'],
  );
  readonly #spills = this.#counter(
    'expert_router_spillover_total',
    'Requests answered by another expert than the one they were first sent to',
    ['from', 'to'],
  );
  readonly #byKey = this.#counter(
    'expert_router_key_requests_total',
    'Requests ended, by API key and class of status',
    ['key', 'status'],
  );
  readonly #tokensByKey = this.#counter(
    'expert_router_key_tokens_total',
    'Tokens as experts reported them, by API key',
    ['key', 'direction'],
  );
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

  readonly #ofRequests: RequestMetrics = {
    requests: this.#requests,
    duration: this.#duration,
    firstByte: this.#firstByte,
    retries: this.#retries,
    spills: this.#spills,
    promptTokens: this.#promptTokens,
    generatedTokens: this.#generatedTokens,
  };

  /** @param processMetrics also report CPU, memory and event-loop lag of the process */
  constructor(options: { processMetrics: boolean; now?: () => number }) {
    this.#now = options.now ?? (() => performance.now());
    if (options.processMetrics) collectDefaultMetrics({ register: this.registry });
  }

  /** Shows each expert's load, read when the page is asked for. */
  watchLoads(
    loads: () => ReadonlyMap<
      string,
      { readonly inFlight: number; readonly queued: number; readonly available: boolean }
    >,
  ): void {
    const gauge = (
      name: string,
      help: string,
      value: (load: { inFlight: number; queued: number; available: boolean }) => number,
    ): void => {
      new Gauge({
        name,
        help,
        labelNames: ['expert'],
        registers: [this.registry],
        aggregator: name.endsWith('available') ? 'max' : 'sum',
        collect() {
          for (const [expert, load] of loads()) this.set({ expert }, value(load));
        },
      });
    };
    gauge('expert_router_inflight', 'Requests with an expert now', (load) => load.inFlight);
    gauge('expert_router_queued', 'Requests waiting for an expert now', (load) => load.queued);
    gauge(
      'expert_router_demand',
      'Requests with an expert or waiting for it',
      (load) => load.inFlight + load.queued,
    );
    gauge('expert_router_available', '1 if an expert can take requests', (load) => Number(load.available));
  }

  /** Shows what engines say of themselves, read when the page is asked for. All workers say the same of one replica. */
  watchEngines(engines: () => readonly EngineLoad[]): void {
    const gauge = (name: string, help: string, value: (engine: EngineLoad) => number | null): void => {
      new Gauge({
        name,
        help,
        labelNames: ['expert', 'replica'],
        registers: [this.registry],
        aggregator: 'max',
        collect() {
          this.reset();
          for (const engine of engines()) {
            const told = value(engine);
            if (told !== null) this.set({ expert: engine.expert, replica: engine.replica }, told);
          }
        },
      });
    };
    gauge(
      'expert_router_engine_running',
      "Requests in an engine's batch, by its own report",
      (e) => e.running,
    );
    gauge(
      'expert_router_engine_waiting',
      'Requests that wait in an engine, by its own report',
      (e) => e.waiting,
    );
    gauge('expert_router_engine_kv_cache_use', 'Share of the KV cache in use, 0 to 1', (e) => e.kvCacheUse);
    gauge(
      'expert_router_engine_report_age_seconds',
      'Time since an engine last reported its load; the oldest over workers',
      (e) => e.ageSeconds,
    );
  }

  timeDecision<T>(decide: () => T): T {
    const started = this.#now();
    const observe = (): void => this.#decision.observe((this.#now() - started) / 1000);
    const decided = decide();
    if (decided instanceof Promise) decided.then(observe, () => {});
    else observe();
    return decided;
  }

  /** Opens the record of one request; its first ending counts, later ones are ignored. */
  begin(labels: RequestLabels): RequestRecord {
    this.#classified.inc({ cluster: labels.cluster });
    return new OpenRecord(labels, this.#ofRequests, this.#now);
  }

  /** Counts a request of any path for the key that it came with; what came without one is nobody's. */
  ended({ key, status, promptTokens, completionTokens }: KeyedRequest): void {
    if (key === null && status !== 401) return;
    const name = key ?? UNKNOWN_KEY;
    this.#byKey.inc({ key: name, status: status === null ? 'left' : `${Math.floor(status / 100)}xx` });
    if (promptTokens !== null) this.#tokensByKey.inc({ key: name, direction: 'prompt' }, promptTokens);
    if (completionTokens !== null)
      this.#tokensByKey.inc({ key: name, direction: 'completion' }, completionTokens);
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram<'expert'> {
    return new Histogram({ name, help, buckets, labelNames: ['expert'], registers: [this.registry] });
  }
}

export interface RequestRecord {
  /** Who answers after all, and at which try. */
  served(expert: string, tries: number): void;
  firstByte(): void;
  /** @param outcome `ok`, `cancelled`, `expert_error` (an error status relayed) or an error code */
  end(outcome: string, usage: Usage | 'unknown'): void;
}

interface RequestMetrics {
  readonly requests: Counter<'expert' | 'reason' | 'outcome'>;
  readonly duration: Histogram<'expert'>;
  readonly firstByte: Histogram<'expert'>;
  readonly retries: Counter<'expert'>;
  readonly spills: Counter<'from' | 'to'>;
  readonly promptTokens: Counter<'expert'>;
  readonly generatedTokens: Counter<'expert'>;
}

class OpenRecord implements RequestRecord {
  readonly #labels: RequestLabels;
  readonly #metrics: RequestMetrics;
  readonly #now: () => number;
  readonly #started: number;
  #expert: string;
  #heard = false;
  #ended = false;

  constructor(labels: RequestLabels, metrics: RequestMetrics, now: () => number) {
    this.#labels = labels;
    this.#metrics = metrics;
    this.#now = now;
    this.#started = now();
    this.#expert = labels.expert;
  }

  served(expert: string, tries: number): void {
    const { retries, spills } = this.#metrics;
    const from = this.#labels.expert;
    if (tries > 1) retries.inc({ expert }, tries - 1);
    if (expert !== from) spills.inc({ from, to: expert });
    this.#expert = expert;
  }

  firstByte(): void {
    if (!this.#heard) this.#metrics.firstByte.observe({ expert: this.#expert }, this.#seconds());
    this.#heard = true;
  }

  end(outcome: string, usage: Usage | 'unknown'): void {
    if (this.#ended) return;
    this.#ended = true;
    const { requests, duration, promptTokens, generatedTokens } = this.#metrics;
    const expert = this.#expert;
    requests.inc({ expert, reason: this.#labels.reason, outcome });
    duration.observe({ expert }, this.#seconds());
    if (usage === 'unknown') return;
    promptTokens.inc({ expert }, usage.inputTokens);
    generatedTokens.inc({ expert }, usage.outputTokens);
  }

  #seconds(): number {
    return (this.#now() - this.#started) / 1000;
  }
}
