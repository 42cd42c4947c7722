/**
 * An expert behind Anthropic's Messages API, with OpenAI's face: every request is translated there, and every answer
 * back, as it comes. It knows the API's addresses and headers; what bodies mean is read by its neighbours.
 */
import { StringDecoder } from 'node:string_decoder';
import { RouterError } from '../../../core/errors.ts';
import { eventReader, type ServerEvent } from '../../../core/sse.ts';
import { HttpClient, WireError } from '../../../http/client.ts';
import { PulledResponse } from '../../../http/pulled-response.ts';
import { modelIds } from '../../engines/answers.ts';
import { type Asked, ask, isAnswer } from '../../engines/ask.ts';
import { FailureError } from '../../engines/failure.ts';
import type { EngineDescription, Expert, ExpertRequest, Generation, Health, ReplySink } from '../expert.ts';
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { apiBase } from '../openai/options.ts';
import { idPrefix } from '../reply.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { asRouterError } from '../wire-failure.ts';
import { Answer, MessageFailed } from './answer.ts';
import { failureOf } from './failure.ts';
import { type AnthropicOptions, anthropicOptions } from './options.ts';
import { messagesRequest } from './request.ts';

export const anthropicKind: ExpertKind<AnthropicOptions> = {
  kind: 'anthropic',
  summary: "Anthropic's Messages API, behind OpenAI's face: tools, images and streaming included",
  options: anthropicOptions,
  inProcess: false,
  // The cloud keeps its own limits and tells of them with 429; the first token of a long prompt may take its time.
  admission: { maxConcurrent: 256, firstTokenMs: 60_000 },
  create: async (id, options, deps) => new AnthropicExpert(id, options, deps),
};

class AnthropicExpert implements Expert {
  readonly kind = 'anthropic';
  readonly id: string;
  readonly #options: AnthropicOptions;
  readonly #model: string;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #client: HttpClient;
  readonly #deps: Pick<ExpertDeps, 'newId' | 'now'>;
  readonly #running = new RunningGenerations();
  #closed = false;

  constructor(id: string, options: AnthropicOptions, deps: Pick<ExpertDeps, 'newId' | 'now'>) {
    const base = apiBase(options.url);
    this.id = id;
    this.#options = options;
    this.#model = options.model ?? id;
    this.#path = base.pathname;
    this.#headers = {
      'content-type': 'application/json',
      'anthropic-version': options.version,
      ...(options.api_key ? { 'x-api-key': options.api_key } : {}),
    };
    this.#client = new HttpClient(base, {
      connect: options.connect_timeout,
      head: options.header_timeout,
      idle: options.idle_timeout,
    });
    this.#deps = deps;
  }

  generate(request: ExpertRequest, sink: ReplySink): Generation {
    const facts = {
      id: this.#deps.newId(idPrefix(request)),
      created: Math.floor(this.#deps.now() / 1000),
      model: this.#model,
    };
    return this.#running.start(request, sink, facts, async (work) => {
      try {
        await this.#answer(request, work);
      } catch (error) {
        throw error instanceof WireError ? asRouterError(this.id, error) : error;
      }
    });
  }

  async health(signal: AbortSignal): Promise<Health> {
    if (this.#closed) return { state: 'down', failure: { kind: 'closed' } };
    const asked = await this.#askModels(signal);
    if (!isAnswer(asked)) return { state: 'down', failure: asked };
    const { status } = asked;
    if (status === 401) return { state: 'down', failure: { kind: 'unauthorized', status } };
    // A proxy may have no list of models; an answer of any other kind below 500 shows that the API is up.
    if (status < 500) return { state: 'ready' };
    return { state: 'down', failure: { kind: 'status', asked: `GET ${this.#path}/models`, status } };
  }

  async describe(signal: AbortSignal): Promise<EngineDescription> {
    const asked = await this.#askModels(signal);
    if (!isAnswer(asked)) throw new FailureError(asked);
    return {
      engine: 'Anthropic',
      version: this.#options.version,
      dialect: 'messages',
      models: modelIds(asked) ?? [],
      metrics: null,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running.close();
    this.#client.close();
  }

  async #answer(request: ExpertRequest, { reply, signal, drained }: Work): Promise<void> {
    const { body, blankStops } = messagesRequest(request, {
      model: this.#model,
      maxTokens: this.#options.max_tokens,
      sampling: this.#options.sampling,
    });
    const response = await PulledResponse.open(
      this.#client,
      {
        method: 'POST',
        path: `${this.#path}/messages`,
        headers: { ...request.headers, ...this.#headers, accept: 'text/event-stream' },
        body: Buffer.from(JSON.stringify(body)),
      },
      signal,
    );
    if (response.head.status >= 400) {
      const { status, headers, body: error } = failureOf(response.head, await response.text());
      reply.refuse(status, headers, error);
      return;
    }
    const answer = new Answer(reply, blankStops);
    try {
      for await (const event of eventsOf(response)) {
        const step = answer.take(event);
        if (step === 'cut') return;
        if (step === 'pause') await drained();
      }
    } catch (error) {
      if (!(error instanceof MessageFailed)) throw this.#unreadable(error);
      if (reply.begun()) throw this.#broken(error.message);
      reply.refuse(error.failure.status, error.failure.headers, error.failure.body);
      return;
    } finally {
      response.cancel();
    }
    if (!answer.finish()) throw this.#broken('the stream ended before the message did');
  }

  #askModels(signal: AbortSignal): Promise<Asked> {
    return ask(this.#client, { path: `${this.#path}/models`, headers: this.#headers }, signal);
  }

  #broken(why: string): RouterError {
    return new RouterError('expert_cut_stream', `Expert '${this.id}' broke off its answer: ${why}.`);
  }

  #unreadable(error: unknown): unknown {
    if (!(error instanceof SyntaxError)) return error;
    return new RouterError('expert_failed', `Expert '${this.id}' sent an event that is not JSON.`, {
      cause: error,
    });
  }
}

/** The events of a response, decoded and parsed as its pieces come. */
async function* eventsOf(response: PulledResponse): AsyncGenerator<ServerEvent> {
  const decoder = new StringDecoder('utf8');
  const events: ServerEvent[] = [];
  const feed = eventReader((event) => events.push(event));
  for await (const piece of response.pieces()) {
    feed(decoder.write(piece));
    yield* events.splice(0);
  }
}
