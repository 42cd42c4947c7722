/**
 * An expert behind Anthropic's Messages API. Requests of that API are relayed, byte for byte; any other is translated,
 * and its answer is translated back as it comes.
 */
import { HttpClient, type OutgoingRequest, type Trust, WireError } from '../../../http/client.ts';
import { PulledResponse } from '../../../http/pulled-response.ts';
import { anthropicMessages } from '../../dialects/anthropic-messages/index.ts';
import type { Ask } from '../../dialects/ask.ts';
import type { DialectId } from '../../dialects/index.ts';
import { modelIds } from '../../engines/answers.ts';
import { type Asked, ask as askServer, isAnswer } from '../../engines/ask.ts';
import { FailureError } from '../../engines/failure.ts';
import type { ToldFailure } from '../../reply/failure.ts';
import { reach } from '../access.ts';
import { apiBase, pathAt } from '../api-base.ts';
import type { AnswerSink, EngineDescription, Expert, ExpertRequest, Generation, Health } from '../expert.ts';
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { mayBeMetered, provedByAsking } from '../prove.ts';
import { type Answer, answerOr, relay } from '../relay.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { readAnswer } from '../translated-answer.ts';
import { TRUST_PATHS } from '../trust.ts';
import { asRouterError } from '../wire-failure.ts';
import { type AnthropicOptions, anthropicOptions } from './options.ts';
import { MESSAGES_CAN, messagesRequest } from './request.ts';
import { StoppingReply } from './stopping-reply.ts';

export const anthropicKind: ExpertKind<AnthropicOptions> = {
  kind: 'anthropic',
  summary: "Anthropic's Messages API, passed on as it is, and translated for clients of other APIs",
  options: anthropicOptions,
  inProcess: false,
  // The cloud enforces its own rate limits with status 429. The first token of a long prompt may take a while.
  admission: { maxConcurrent: 256, firstTokenMs: 60_000 },
  paths: TRUST_PATHS,
  create: async (id, options, deps) => new AnthropicExpert(id, options, await reach(id, options, deps), deps),
};

class AnthropicExpert implements Expert {
  readonly kind = 'anthropic';
  readonly speaks: readonly DialectId[] = ['anthropic-messages', 'anthropic-count-tokens'];
  readonly can = MESSAGES_CAN;
  readonly id: string;
  readonly prove?: (signal: AbortSignal) => Promise<Health>;
  readonly #options: AnthropicOptions;
  readonly #model: string;
  readonly #base: URL;
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
    this.#base = base;
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
    if (options.test_request ?? !mayBeMetered(base, options.ca))
      this.prove = (signal) => provedByAsking(this, signal);
  }

  generate({ ask, headers }: ExpertRequest, sink: AnswerSink): Generation {
    if ((this.speaks as readonly string[]).includes(ask.dialect.id) && !this.#closed)
      return this.#relay(ask, headers, sink);
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

  /** The version is the client's: its answer must have the form that it knows. */
  #relay(ask: Ask, headers: ExpertRequest['headers'], sink: AnswerSink): Generation {
    const quirks = { readsAttribution: true } as const;
    const needs = { model: this.#model, limit: undefined, quirks, insisted: true };
    const request: OutgoingRequest = {
      method: 'POST',
      path: pathAt(this.#base, ask.dialect.paths[0]),
      headers: {
        ...headers,
        ...this.#headers,
        'anthropic-version': headers['anthropic-version'] ?? this.#options.version,
      },
      body: ask.dialect.forward(ask, needs),
    };
    const options = {
      expert: this.id,
      lane: ask.dialect,
      stream: ask.stream,
      statuses: {},
      asFailure: (error: WireError) => asRouterError(this.id, error),
    };
    const put =
      (asked: OutgoingRequest): Answer =>
      (told) =>
        relay(this.#client, asked, options, told);
    const instead = (refusal: ToldFailure): Answer | null => {
      const body = ask.dialect.amended?.(ask, needs, refusal) ?? null;
      return body && put({ ...request, body });
    };
    return answerOr(put(request), instead, sink);
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
