/** What the router counts and times, as Prometheus metrics. It never sees a prompt, a key or an answer. */
import { Registry } from 'prom-client';
import {
  DURATION_BUCKETS,
  FIRST_TOKEN_BUCKETS,
  GENAI_LABELS,
  GENAI_METRICS,
  operationOf,
  PER_TOKEN_BUCKETS,
  PROVIDER,
  TOKEN_BUCKETS,
} from './genai.ts';
import { isHedge } from './hedges.ts';
import { HistogramView } from './histogram-view.ts';
import { watchProcess } from './process-metrics.ts';
import { OpenRecord, type RequestLabels, type RequestMetrics, type RequestRecord } from './request-record.ts';
import { OTHER, TallyCounter, TallyHistogram } from './tallies.ts';

/** Seconds; a wait for a slot may be none, or end with the queue's timeout. */
const WAIT_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Seconds; a decision takes tens of microseconds to a few milliseconds. */
const DECISION_BUCKETS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];

/** A request of any path that has ended; times in milliseconds from its head. */
interface EndedRequest {
  /** A name from the config. */
  readonly key: string | null;
  readonly status: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly usd: number | null;
  readonly cluster: number | null;
  readonly cachedTokens: number | null;
  readonly error: string | null;
  /** Who answered, or told the error. */
  readonly expert: string | null;
  /** The expert that had its conversation cached. */
  readonly livedAt: string | null;
  readonly dialect: string | null;
  readonly outside: boolean;
  readonly asked: readonly {
    readonly expert: string;
    readonly fromMs: number;
    readonly failedMs: number | null;
  }[];
  readonly decidedMs: number | null;
  /** Until it would start, as expected when its expert was chosen. */
  readonly expectedMs: number | null;
  readonly firstMs: number | null;
  readonly totalMs: number;
}

/** Clusters with a label of their own; a router model may have more. */
const MOST_CLUSTERS = 512;
/** Keys with labels of their own, those that come first; a config may have thousands. */
const MOST_KEYS = 1_000;
/** Experts that each one's conversations go to, with labels of their own: pairs grow with the square of the experts. */
const MOST_GOALS = 16;
const GOALS = `of each \`from\`, ${MOST_GOALS} \`to\` are told apart and the rest are \`other\``;

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
  readonly #cost = this.#counter(
    'expert_router_cost_dollars_total',
    'What requests cost by the prices of the config, where tokens and price are known',
    ['expert', 'cluster'],
  );
  readonly #unpriced = this.#counter(
    'expert_router_unpriced_requests_total',
    'Requests whose tokens are known but whose expert has no price: their cost is missing in the sums',
    ['expert'],
  );
  readonly #retries = this.#counter(
    'expert_router_retries_total',
    'Tries after the first, by the expert that answered',
    ['expert'],
  );
  readonly #spills = this.#counter(
    'expert_router_spillover_total',
    `Requests answered by another expert than the one they were first sent to; ${GOALS}`,
    ['from', 'to'],
    MOST_GOALS,
  );
  readonly #moves = this.#counter(
    'expert_router_moves_total',
    `Turns of conversations that were answered by another expert than the one that has them cached; ${GOALS}`,
    ['from', 'to'],
    MOST_GOALS,
  );
  readonly #reread = this.#counter(
    'expert_router_moved_tokens_total',
    'Tokens of such prompts that were not cached where they went, as experts reported them',
    ['expert'],
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
  readonly #cachedTokens = this.#counter(
    'expert_router_cached_tokens_total',
    'Prompt tokens from the cache of an engine, as experts reported them',
    ['expert'],
  );
  readonly #outside = this.#counter(
    'expert_router_outside_total',
    'Requests unlike anything the router model knows',
    [],
  );
  readonly #errors = this.#counter(
    'expert_router_errors_total',
    'Requests that ended with an error, the refused among them, by code and expert; none where no expert told it',
    ['code', 'expert'],
  );
  readonly #hedges = this.#counter(
    'expert_router_hedges_total',
    'Second tries beside a slow first one, by the expert that was asked as well',
    ['expert'],
  );
  readonly #keys = new Set<string>();
  readonly #duration = detailed(DURATION_BUCKETS);
  readonly #firstByte = detailed(FIRST_TOKEN_BUCKETS);
  readonly #perToken = detailed(PER_TOKEN_BUCKETS);
  readonly #tokens = new TallyHistogram({
    name: GENAI_METRICS.tokens,
    help: 'Tokens of a request, as experts reported them (GenAI conventions)',
    buckets: TOKEN_BUCKETS,
    labelNames: [...GENAI_LABELS, 'gen_ai_token_type'],
    registry: this.registry,
  });
  readonly #queueWait = this.#histogram(
    'expert_router_queue_wait_seconds',
    'Time in the queue until a replica was asked, by the expert chosen',
    WAIT_BUCKETS,
  );
  readonly #expectedWait = this.#histogram(
    'expert_router_expected_wait_seconds',
    'The same as it was expected when the expert was chosen',
    WAIT_BUCKETS,
  );
  readonly #overhead = new TallyHistogram({
    name: 'expert_router_overhead_seconds',
    help: "The router's own time before an expert is asked: reading the request and deciding, without the queue",
    buckets: DECISION_BUCKETS,
    labelNames: [],
    registry: this.registry,
  });
  readonly #decision = new TallyHistogram({
    name: 'expert_router_decision_seconds',
    help: 'Time to classify a request and choose its expert',
    buckets: DECISION_BUCKETS,
    labelNames: [],
    registry: this.registry,
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
    this.#show(this.#duration, {
      own: ['expert_router_request_duration_seconds', 'From choice to end of answer'],
      genAi: [GENAI_METRICS.duration, 'The same, as the GenAI conventions have it'],
    });
    this.#show(this.#firstByte, {
      own: ['expert_router_ttft_seconds', 'From choice to the first byte of the answer'],
      genAi: [GENAI_METRICS.firstToken, 'The same, as the GenAI conventions have it'],
    });
    this.#show(this.#perToken, {
      own: [
        'expert_router_tpot_seconds',
        'Time per output token after the first, where experts report tokens',
      ],
      genAi: [GENAI_METRICS.perToken, 'The same, as the GenAI conventions have it'],
    });
    if (options.processMetrics) watchProcess(this.registry);
  }

  /** Puts a histogram on the page under our name and under that of the conventions. */
  #show(
    original: TallyHistogram,
    { own, genAi }: Readonly<Record<'own' | 'genAi', readonly [name: string, help: string]>>,
  ): void {
    const { registry } = this;
    new HistogramView(original, {
      name: own[0],
      help: own[1],
      labelNames: ['expert'],
      registry,
      relabel: ({ expert }) => ({ expert: expert! }),
    });
    new HistogramView(original, {
      name: genAi[0],
      help: genAi[1],
      labelNames: GENAI_LABELS,
      registry,
      relabel: ({ expert, operation }) => genAiLabels(String(operation), String(expert)),
    });
  }

  timeDecision<T>(decide: () => T): T {
    const started = this.#now();
    const observe = (): void => this.#decision.record((this.#now() - started) / 1000);
    const decided = decide();
    if (decided instanceof Promise) decided.then(observe, () => {});
    else observe();
    return decided;
  }

  /** Opens the record of one request; its first ending counts, later ones are ignored. */
  begin(labels: RequestLabels): RequestRecord {
    const { cluster } = labels;
    this.#classified.add(1, cluster < MOST_CLUSTERS ? cluster : OTHER);
    return new OpenRecord(labels, this.#ofRequests, this.#now);
  }

  /** Counts a request of any path: what it cost and how it went, and for whom. */
  ended(request: EndedRequest): void {
    this.#endedOf(request);
    this.#timesOf(request);
    this.#moveOf(request);
    this.#tokensOf(request);
  }

  /** What came without a key is nobody's. */
  #endedOf({ key, status, error, expert, promptTokens, completionTokens }: EndedRequest): void {
    if (error !== null) this.#errors.add(1, error, expert ?? '');
    if (key === null && status !== 401) return;
    const name = key === null ? UNKNOWN_KEY : this.#keyLabel(key);
    this.#byKey.add(1, name, status === null ? 'left' : `${Math.floor(status / 100)}xx`);
    if (promptTokens !== null) this.#tokensByKey.add(promptTokens, name, 'prompt');
    if (completionTokens !== null) this.#tokensByKey.add(completionTokens, name, 'completion');
  }

  #keyLabel(key: string): string {
    if (this.#keys.size < MOST_KEYS) this.#keys.add(key);
    return this.#keys.has(key) ? key : OTHER;
  }

  #timesOf({ asked, decidedMs, expectedMs, outside }: EndedRequest): void {
    if (decidedMs === null) return;
    this.#overhead.record(decidedMs / 1000);
    if (outside) this.#outside.add(1);
    const [first] = asked;
    if (!first) return;
    const { expert } = first;
    this.#queueWait.record(Math.max(0, first.fromMs - decidedMs) / 1000, expert);
    if (expectedMs !== null) this.#expectedWait.record(expectedMs / 1000, expert);
    for (const [place, one] of asked.entries()) if (isHedge(asked, place)) this.#hedges.add(1, one.expert);
  }

  #moveOf({ livedAt, expert, firstMs, promptTokens, cachedTokens }: EndedRequest): void {
    if (livedAt === null || expert === null || expert === livedAt || firstMs === null) return;
    this.#moves.add(1, livedAt, expert);
    if (promptTokens !== null && cachedTokens !== null) this.#reread.add(promptTokens - cachedTokens, expert);
  }

  #tokensOf(request: EndedRequest): void {
    const { expert, dialect, promptTokens, cachedTokens, completionTokens, firstMs, totalMs } = request;
    if (expert === null || dialect === null) return;
    // GPUs cost whether tokens are told or not.
    if (request.usd !== null || (promptTokens !== null && completionTokens !== null))
      this.#costOf(expert, request);
    if (promptTokens === null || completionTokens === null) return;
    const operation = operationOf(dialect);
    this.#tokens.record(promptTokens, operation, PROVIDER, expert, 'input');
    this.#tokens.record(completionTokens, operation, PROVIDER, expert, 'output');
    if (cachedTokens !== null) this.#cachedTokens.add(cachedTokens, expert);
    if (firstMs !== null && completionTokens > 1)
      this.#perToken.record((totalMs - firstMs) / (completionTokens - 1) / 1000, expert, operation);
  }

  #costOf(expert: string, { usd, cluster }: EndedRequest): void {
    if (usd === null) this.#unpriced.add(1, expert);
    else this.#cost.add(usd, expert, cluster === null || cluster >= MOST_CLUSTERS ? OTHER : cluster);
  }

  #counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    most = Number.POSITIVE_INFINITY,
  ): TallyCounter {
    return new TallyCounter({ name, help, labelNames, most, registry: this.registry });
  }

  #histogram(name: string, help: string, buckets: readonly number[]): TallyHistogram {
    return new TallyHistogram({ name, help, buckets, labelNames: ['expert'], registry: this.registry });
  }
}

/** By expert and operation; it stands on the page as views. */
function detailed(buckets: readonly number[]): TallyHistogram {
  const labelNames = ['expert', 'operation'];
  return new TallyHistogram({ name: 'unshown', help: 'unshown', buckets, labelNames, registry: null });
}

/** `gen_ai.request.model` is the expert's id: what clients may call it by. */
function genAiLabels(operation: string, expert: string): Record<(typeof GENAI_LABELS)[number], string> {
  return {
    gen_ai_operation_name: operation,
    gen_ai_provider_name: PROVIDER,
    gen_ai_request_model: expert,
  };
}
