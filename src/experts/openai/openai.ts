/**
 * An expert that speaks OpenAI's API over HTTP: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds. It
 * relays the body's bytes both ways and reads none of them; only the model name on the way out is its own.
 */
import { type Dispatcher, Pool } from 'undici';
import { describeError, RouterError } from '../../core/errors.ts';
import { responseHeadersForClient } from '../../core/headers.ts';
import type { Endpoint } from '../../core/openai.ts';
import type { Expert, ExpertRequest, Generation, Health, ReplySink } from '../expert.ts';
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { withModelName } from './model-name.ts';
import { apiBase, type OpenAiOptions, openaiOptions } from './options.ts';

const PATHS: Readonly<Record<Endpoint, string>> = { chat: '/chat/completions', completions: '/completions' };

export const openaiKind: ExpertKind<OpenAiOptions> = {
  kind: 'openai',
  summary:
    "Any server with OpenAI's chat completions: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds",
  options: openaiOptions,
  create: async (id: string, options: OpenAiOptions, _deps: ExpertDeps) => new OpenAiExpert(id, options),
};

class OpenAiExpert implements Expert {
  readonly kind = 'openai';
  readonly id: string;
  readonly #model: string;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #pool: Pool;

  constructor(id: string, options: OpenAiOptions) {
    const base = apiBase(options.url);
    this.id = id;
    this.#model = options.model ?? id;
    this.#path = base.pathname;
    this.#headers = options.api_key ? { authorization: `Bearer ${options.api_key}` } : {};
    this.#pool = new Pool(base.origin, {
      // No cap: a limit here would queue silently, invisible to the router's own view of the load.
      connections: null,
      connect: { timeout: options.connect_timeout },
      headersTimeout: options.header_timeout,
      bodyTimeout: options.idle_timeout,
    });
  }

  generate(request: ExpertRequest, sink: ReplySink): Generation {
    const relay = new Relay(this.id, sink);
    this.#pool.dispatch(
      {
        method: 'POST',
        path: this.#path + PATHS[request.endpoint],
        headers: { ...request.headers, ...this.#headers, 'content-type': 'application/json' },
        body: withModelName(
          Buffer.from(request.body.buffer, request.body.byteOffset, request.body.length),
          this.#model,
        ),
      },
      relay,
    );
    return relay;
  }

  async health(signal: AbortSignal): Promise<Health> {
    try {
      const reply = await this.#pool.request({
        method: 'GET',
        path: `${this.#path}/models`,
        headers: this.#headers,
        signal,
      });
      await reply.body.dump();
      // Some servers have no model list; an answer of any kind below 500 shows that the server is up.
      if (reply.statusCode < 500) return { state: 'ready' };
      return { state: 'down', detail: `GET ${this.#path}/models answered ${reply.statusCode}` };
    } catch (error) {
      return { state: 'down', detail: describeError(error) };
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** One exchange with the server: undici's callbacks on one side, the sink on the other. */
class Relay implements Dispatcher.DispatchHandler, Generation {
  readonly #expert: string;
  readonly #sink: ReplySink;
  #controller: Dispatcher.DispatchController | null = null;
  #state: 'waiting' | 'answering' | 'over' = 'waiting';

  constructor(expert: string, sink: ReplySink) {
    this.#expert = expert;
    this.#sink = sink;
  }

  resume(): void {
    this.#controller?.resume();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#controller?.abort(new Error('the client left'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === 'over') controller.abort(new Error('the client left'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#state === 'over' || status < 200) return;
    this.#state = 'answering';
    this.#sink.head(status, responseHeadersForClient(headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'answering' && !this.#sink.data(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#sink.end({ usage: 'unknown', finishReason: 'unknown' });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#state === 'over') return;
    const answering = this.#state === 'answering';
    this.#state = 'over';
    this.#sink.fail(asRouterError(this.#expert, error, answering));
  }
}

function asRouterError(expert: string, error: Error, answering: boolean): RouterError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(code)) {
    return new RouterError(
      'expert_timeout',
      `Expert '${expert}' stopped answering (${describeError(error)}).`,
      { cause: error },
    );
  }
  if (answering) {
    return new RouterError(
      'expert_cut_stream',
      `Expert '${expert}' broke off its answer (${describeError(error)}).`,
      { cause: error },
    );
  }
  return new RouterError(
    'expert_unreachable',
    `Expert '${expert}' cannot be reached (${describeError(error)}).`,
    { cause: error },
  );
}
