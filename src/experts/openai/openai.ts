/**
 * An expert that speaks OpenAI's API over HTTP: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds. It relays
 * the body's bytes both ways and parses none of them; only the model name on the way out is its own.
 */
import { describeError, RouterError } from '../../core/errors.ts';
import { responseHeadersForClient } from '../../core/headers.ts';
import type { Endpoint } from '../../core/openai.ts';
import { HttpClient, type ResponseHandler, type WireError } from '../../wire/client.ts';
import type { ResponseHead } from '../../wire/response-parser.ts';
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
import { OpenAiEngine } from './engine.ts';
import { withModelName } from './model-name.ts';
import { apiBase, type OpenAiOptions, type OpenAiReplica, openaiOptions, replicasOf } from './options.ts';
import { ReplyTail } from './reply-tail.ts';

const PATHS: Readonly<Record<Endpoint, string>> = { chat: '/chat/completions', completions: '/completions' };
const NO_BODY = Buffer.alloc(0);

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
    const headers = options.api_key ? { authorization: `Bearer ${options.api_key}` } : {};
    this.#engine = new OpenAiEngine({ base, model: this.#model, headers, metricsUrl });
  }

  generate(request: ExpertRequest, sink: ReplySink): Generation {
    if (this.#closed) return refuse(sink, stopped(this.id));
    const body = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.length);
    return this.#client.request(
      {
        method: 'POST',
        path: this.#path + PATHS[request.endpoint],
        headers: { ...request.headers, ...this.#headers },
        body: withModelName(body, this.#model),
      },
      new Relay(this.id, sink, () => this.#closed),
    );
  }

  health(signal: AbortSignal): Promise<Health> {
    return new Promise((resolve) => {
      let status = 0;
      const down = (detail: string): void => resolve({ state: 'down', detail });
      const exchange = this.#client.request(
        { method: 'GET', path: `${this.#path}/models`, headers: this.#headers, body: NO_BODY },
        {
          head: (head) => {
            status = head.status;
          },
          data: () => true,
          // Some servers have no model list; an answer of any kind below 500 shows that the server is up.
          end: () =>
            status < 500 ? resolve({ state: 'ready' }) : down(`GET ${this.#path}/models answered ${status}`),
          fail: (error) => down(describeError(error)),
        },
      );
      signal.addEventListener('abort', () => {
        exchange.cancel();
        down('no answer in time');
      });
    });
  }

  describe(signal: AbortSignal): Promise<EngineDescription> {
    return this.#engine.describe(signal);
  }

  reportedLoad(signal: AbortSignal): Promise<ReportedLoad | null> {
    return this.#engine.reportedLoad(signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#client.close();
    this.#engine.close();
  }
}

/** One exchange with the server: the wire's calls on one side, the sink's on the other. */
class Relay implements ResponseHandler {
  readonly #expert: string;
  readonly #sink: ReplySink;
  readonly #tail = new ReplyTail();
  readonly #closed: () => boolean;

  constructor(expert: string, sink: ReplySink, closed: () => boolean) {
    this.#expert = expert;
    this.#sink = sink;
    this.#closed = closed;
  }

  head({ status, headers }: ResponseHead): void {
    this.#sink.head(status, responseHeadersForClient(headers));
  }

  data(payload: Buffer): boolean {
    this.#tail.push(payload);
    return this.#sink.data(payload);
  }

  end(): void {
    this.#sink.end(this.#tail.outcome());
  }

  fail(error: WireError): void {
    this.#sink.fail(this.#closed() ? stopped(this.#expert) : asRouterError(this.#expert, error));
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

function asRouterError(expert: string, error: WireError): RouterError {
  const why = describeError(error);
  switch (error.failure) {
    case 'timeout':
      return new RouterError('expert_timeout', `Expert '${expert}' stopped answering (${why}).`, {
        cause: error,
      });
    case 'cut':
      return new RouterError('expert_cut_stream', `Expert '${expert}' broke off its answer (${why}).`, {
        cause: error,
      });
    case 'garbled':
      return new RouterError(
        'expert_failed',
        `Expert '${expert}' sent something that is not an HTTP answer (${why}).`,
        { cause: error },
      );
    case 'unreachable':
      return new RouterError('expert_unreachable', `Expert '${expert}' cannot be reached (${why}).`, {
        cause: error,
      });
  }
}
