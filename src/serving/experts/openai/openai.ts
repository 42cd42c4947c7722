/**
 * An expert that speaks OpenAI's API over HTTP: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds. It relays
 * bytes both ways; on the way out only the model name is its own, and what the engine's quirks demand.
 */
import { RouterError } from '../../../core/errors.ts';
import type { Endpoint } from '../../../core/openai.ts';
import { HttpClient, type WireError } from '../../../http/client.ts';
import { ask, isAnswer } from '../../engines/ask.ts';
import type {
  EngineDescription,
  Expert,
  ExpertRequest,
  Generation,
  Health,
  ReplySink,
  ReportedLoad,
} from '../expert.ts';
import type { ExpertKind } from '../kind.ts';
import { asRouterError } from '../wire-failure.ts';
import { OpenAiEngine } from './engine.ts';
import { apiBase, type OpenAiOptions, type OpenAiReplica, openaiOptions, replicasOf } from './options.ts';
import { bodyFor, quirksNamed } from './quirks.ts';
import { QuirksFinder } from './quirks-finder.ts';
import { Relay } from './relay.ts';

const PATHS: Readonly<Record<Endpoint, string>> = { chat: '/chat/completions', completions: '/completions' };

export const openaiKind: ExpertKind<OpenAiOptions> = {
  kind: 'openai',
  summary:
    "Any server with OpenAI's chat completions: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds",
  options: openaiOptions,
  // Engines batch in flight; 256 sequences is what vLLM and TensorRT-LLM admit unless told otherwise.
  inProcess: false,
  admission: { maxConcurrent: 256, firstTokenMs: 30_000 },
  replicas: (options) =>
    replicasOf(options).map(({ url, weight, metrics_url }) => ({
      name: url,
      weight,
      options: { ...options, url, metrics_url },
    })),
  create: async (id, options) => new OpenAiExpert(id, options),
};

class OpenAiExpert implements Expert {
  readonly kind = 'openai';
  readonly id: string;
  readonly #model: string;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #client: HttpClient;
  readonly #quirks: QuirksFinder;
  readonly #maxTokens: number | undefined;
  readonly #engine: OpenAiEngine;
  #closed = false;

  constructor(id: string, options: OpenAiOptions) {
    const [{ url, metrics_url: metricsUrl = null }] = replicasOf(options) as [OpenAiReplica];
    const base = apiBase(url);
    this.id = id;
    this.#model = options.model ?? id;
    this.#path = base.pathname;
    this.#headers = {
      'content-type': 'application/json',
      ...(options.api_key ? { authorization: `Bearer ${options.api_key}` } : {}),
    };
    this.#client = new HttpClient(base, {
      connect: options.connect_timeout,
      head: options.header_timeout,
      idle: options.idle_timeout,
    });
    const key = options.api_key ? { authorization: `Bearer ${options.api_key}` } : {};
    this.#quirks = new QuirksFinder(base, key, options.quirks ?? options.dialect ?? null);
    this.#maxTokens = options.max_tokens;
    this.#engine = new OpenAiEngine({ base, model: this.#model, headers: key, metricsUrl });
  }

  generate(request: ExpertRequest, sink: ReplySink): Generation {
    if (this.#closed) return refuse(sink, stopped(this.id));
    const quirks = quirksNamed(this.#quirks.name);
    const relay = new Relay(this.id, sink, quirks.statuses ?? {}, (error) => this.#asFailure(error));
    const exchange = this.#client.request(
      {
        method: 'POST',
        path: this.#path + PATHS[request.endpoint],
        headers: { ...request.headers, ...this.#headers },
        body: bodyFor(quirks, request, { model: this.#model, limit: this.#maxTokens }),
      },
      relay,
    );
    return {
      resume: () => exchange.resume(),
      cancel: () => {
        relay.cancel();
        exchange.cancel();
      },
    };
  }

  async health(signal: AbortSignal): Promise<Health> {
    const health = await this.#ask(signal);
    if (health.state === 'ready') await this.#quirks.settle(signal);
    else this.#quirks.forget();
    return health;
  }

  async #ask(signal: AbortSignal): Promise<Health> {
    const path = `${this.#path}/models`;
    const asked = await ask(this.#client, { path, headers: this.#headers }, signal);
    if (!isAnswer(asked)) return { state: 'down', failure: asked };
    // Some servers have no model list; an answer of any kind below 500 shows that the server is up.
    if (asked.status < 500) return { state: 'ready' };
    return { state: 'down', failure: { kind: 'status', asked: `GET ${path}`, status: asked.status } };
  }

  async describe(signal: AbortSignal): Promise<EngineDescription> {
    const told = await this.#engine.describe(signal);
    await this.#quirks.settle(signal);
    return { ...told, quirks: this.#quirks.name };
  }

  reportedLoad(signal: AbortSignal): Promise<ReportedLoad | null> {
    return this.#engine.reportedLoad(signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#client.close();
    this.#engine.close();
  }

  #asFailure(error: WireError): RouterError {
    return this.#closed ? stopped(this.id) : asRouterError(this.id, error);
  }
}

function stopped(expert: string): RouterError {
  return new RouterError('shutting_down', `Expert '${expert}' was stopped.`);
}

/** A generation that fails at once, yet after the call that started it. */
function refuse(sink: ReplySink, error: RouterError): Generation {
  let open = true;
  queueMicrotask(() => {
    if (open) sink.fail(error);
  });
  return {
    resume: () => {},
    cancel: () => {
      open = false;
    },
  };
}
