/**
 * An expert behind Anthropic's Messages API: requests are translated, and answers are translated back as they come.
 */
import { HttpClient, type Trust, WireError } from '../../../http/client.ts';
import { PulledResponse } from '../../../http/pulled-response.ts';
import { anthropicMessages } from '../../dialects/anthropic-messages/index.ts';
import type { Ask } from '../../dialects/ask.ts';
import { modelIds } from '../../engines/answers.ts';
import { type Asked, ask as askServer, isAnswer } from '../../engines/ask.ts';
import { FailureError } from '../../engines/failure.ts';
import { apiBase } from '../api-base.ts';
import type { AnswerSink, EngineDescription, Expert, ExpertRequest, Generation, Health } from '../expert.ts';
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { readAnswer } from '../translated-answer.ts';
import { readTrust, TRUST_PATHS } from '../trust.ts';
import { asRouterError } from '../wire-failure.ts';
import { type AnthropicOptions, anthropicOptions } from './options.ts';
import { messagesRequest } from './request.ts';
import { StoppingReply } from './stopping-reply.ts';

export const anthropicKind: ExpertKind<AnthropicOptions> = {
  kind: 'anthropic',
  summary: "Anthropic's Messages API, behind any of the router's faces: tools, images and streaming included",
  options: anthropicOptions,
  inProcess: false,
  // The cloud enforces its own rate limits with status 429. The first token of a long prompt may take a while.
  admission: { maxConcurrent: 256, firstTokenMs: 60_000 },
  paths: TRUST_PATHS,
  create: async (id, options, deps) => new AnthropicExpert(id, options, await readTrust(id, options), deps),
};

class AnthropicExpert implements Expert {
  readonly kind = 'anthropic';
  readonly speaks = [];
  readonly id: string;
  readonly #options: AnthropicOptions;
  readonly #model: string;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #client: HttpClient;
  readonly #deps: Pick<ExpertDeps, 'newId' | 'now'>;
  readonly #running: RunningGenerations;
  #closed = false;

  constructor(id: string, options: AnthropicOptions, trust: Trust, deps: Pick<ExpertDeps, 'newId' | 'now'>) {
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
    const { connect_timeout: connect, header_timeout: head, idle_timeout: idle } = options;
    this.#client = new HttpClient(base, { connect, head, idle }, trust);
    this.#deps = deps;
    this.#running = new RunningGenerations(id);
  }

  generate({ ask, headers }: ExpertRequest, sink: AnswerSink): Generation {
    const meta = {
      id: this.#deps.newId(ask.dialect.idPrefix),
      created: Math.floor(this.#deps.now() / 1000),
      model: this.#model,
    };
    return this.#running.start(ask, sink, meta, async (work) => {
      try {
        await this.#answer(ask, headers, work);
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
    // A proxy may not list models; any other status below 500 shows that the API is up.
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

  async #answer(
    ask: Ask,
    headers: Readonly<Record<string, string>>,
    { reply, signal, drained }: Work,
  ): Promise<void> {
    const { body, blankStops } = messagesRequest(ask, {
      model: this.#model,
      maxTokens: this.#options.max_tokens,
      sampling: this.#options.sampling,
    });
    const response = await PulledResponse.open(
      this.#client,
      {
        method: 'POST',
        path: `${this.#path}/messages`,
        headers: { ...headers, ...this.#headers, accept: 'text/event-stream' },
        body: Buffer.from(JSON.stringify(body)),
      },
      signal,
    );
    const stopping = new StoppingReply(reply, blankStops);
    const translation = {
      expert: this.id,
      dialect: anthropicMessages,
      reply: stopping,
      stopped: () => stopping.stopped,
    };
    await readAnswer(response, translation, { drained });
  }

  #askModels(signal: AbortSignal): Promise<Asked> {
    return askServer(this.#client, { path: `${this.#path}/models`, headers: this.#headers }, signal);
  }
}
