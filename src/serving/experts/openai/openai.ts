/**
 * An expert that speaks OpenAI's API over HTTP: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds. It relays bytes
 * both ways, editing only the model name and what the engine's quirks require. Requests in a dialect that the engine
 * does not speak are translated to chat completions.
 */
import { RouterError } from '../../../core/errors.ts';
import { joined, type Pieces } from '../../../core/pieces.ts';
import { type OutgoingRequest, type Trust, WireError } from '../../../http/client.ts';
import { PulledResponse } from '../../../http/pulled-response.ts';
import type { Ask } from '../../dialects/ask.ts';
import type { DialectId } from '../../dialects/index.ts';
import { openAiChat } from '../../dialects/openai/chat.ts';
import { asChat, CHAT_CAN } from '../../dialects/openai/translated.ts';
import { PASSED } from '../../dialects/passed.ts';
import type { ServerNeeds } from '../../dialects/quirks.ts';
import type { ToldFailure } from '../../reply/failure.ts';
import type { ReplyMeta } from '../../reply/reply.ts';
import { asStream } from '../as-stream.ts';
import { refuseUnmet } from '../demands.ts';
import type {
  AnswerSink,
  EngineDescription,
  Expert,
  ExpertRequest,
  Generation,
  Health,
  ReportedLoad,
  ServerRequest,
} from '../expert.ts';
import type { ExpertDeps } from '../kind.ts';
import { spokenFor, writesText } from '../option-types.ts';
import { mayBeMetered, provedByAsking } from '../prove.ts';
import { type Answer, answerOr, relay } from '../relay.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { readAnswer } from '../translated-answer.ts';
import { asRouterError } from '../wire-failure.ts';
import { isProxied, type OpenAiOptions } from './options.ts';
import { quirksNamed } from './quirks.ts';
import { USUAL } from './quirks-finder.ts';
import { OpenAiServer } from './server.ts';

export class OpenAiExpert implements Expert {
  readonly kind = 'openai';
  readonly passes = true;
  readonly can = CHAT_CAN;
  readonly id: string;
  readonly address?: URL;
  readonly answersText: boolean;
  readonly prove?: (signal: AbortSignal) => Promise<Health>;
  readonly #server: OpenAiServer;
  readonly #maxTokens: number | undefined;
  readonly #capabilities: OpenAiOptions['capabilities'];
  /** What it is asked in, and what of its engine that was made of. */
  #spoken: { readonly engine: readonly DialectId[]; readonly own: readonly DialectId[] } | null = null;
  readonly #deps: ExpertDeps;
  readonly #running: RunningGenerations;
  #closed = false;

  constructor(id: string, options: OpenAiOptions, trust: Trust, deps: ExpertDeps) {
    this.id = id;
    this.#server = new OpenAiServer(id, options, trust, deps);
    const { base } = this.#server;
    if (!isProxied(options)) this.address = base;
    this.#maxTokens = options.max_tokens;
    this.answersText = writesText(options.capabilities);
    this.#capabilities = options.capabilities;
    this.#deps = deps;
    this.#running = new RunningGenerations(id);
    if (this.answersText && (options.test_request ?? !mayBeMetered(base, options.ca)))
      this.prove = (signal) => provedByAsking(this, signal);
  }

  get context(): number | null {
    return this.#server.context;
  }

  get traits(): OpenAiServer['traits'] {
    return this.#server.traits;
  }

  get adapter(): OpenAiServer['adapter'] {
    return this.#server.adapter;
  }

  get speaks(): readonly DialectId[] {
    const engine = this.#server.quirks.speaks;
    if (this.#spoken?.engine !== engine)
      this.#spoken = { engine, own: spokenFor(this.#capabilities, engine) };
    return this.#spoken.own;
  }

  generate(request: ExpertRequest, sink: AnswerSink): Generation {
    if (this.#closed) return refuse(sink, stopped(this.id));
    return this.#speaks(request.ask.dialect.id) || request.ask.dialect.id === PASSED
      ? this.#relay(request, sink)
      : this.#translated(request, sink);
  }

  #translated(request: ExpertRequest, sink: AnswerSink): Generation {
    const { ask } = request;
    return this.#running.start(ask, sink, this.#meta(ask), (work) => this.#translate(request, work));
  }

  #meta({ dialect }: Ask): ReplyMeta {
    return {
      id: this.#deps.newId(dialect.idPrefix),
      created: Math.floor(this.#deps.now() / 1000),
      model: this.#server.model,
    };
  }

  asSent(asked: ExpertRequest): ServerRequest {
    const request = this.#outgoing(asked);
    return { ...request, body: joined(request.body as Pieces), model: this.#server.model };
  }

  #speaks(dialect: string): boolean {
    return (this.speaks as readonly string[]).includes(dialect);
  }

  #relay(asked: ExpertRequest, sink: AnswerSink): Generation {
    const { ask } = asked;
    const options = {
      expert: this.id,
      lane: ask.dialect,
      stream: ask.stream,
      statuses: quirksNamed(this.#server.quirks.name).statuses ?? {},
      asFailure: (error: WireError) => this.#asFailure(error),
      asStream: (body: Buffer) => asStream(ask, this.#meta(ask), CHAT_CAN, body),
    };
    const request = this.#outgoing(asked);
    const put =
      (outgoing: OutgoingRequest): Answer =>
      (told) =>
        relay(this.#server.client, outgoing, options, told);
    if (USUAL.includes(ask.dialect.id as DialectId)) return put(request)(sink);
    const instead = (refusal: ToldFailure): Answer | null => {
      if (ask.dialect.writer !== null && isUnserved(refusal)) {
        this.#server.quirks.unlearn(ask.dialect.id);
        return (told) => this.#translated(asked, told);
      }
      const body = ask.dialect.amended?.(ask, this.#needs(asked), refusal) ?? null;
      return body && put({ ...request, body });
    };
    return answerOr(put(request), instead, sink);
  }

  async #translate(asked: ExpertRequest, work: Work): Promise<void> {
    refuseUnmet(asked.ask, CHAT_CAN);
    const request = this.#outgoing({ ...asked, ask: asChat(asked.ask) });
    try {
      const response = await PulledResponse.open(this.#server.client, request, work.signal);
      await readAnswer(response, { expert: this.id, dialect: openAiChat, reply: work.reply }, work);
    } catch (error) {
      throw error instanceof WireError ? this.#asFailure(error) : error;
    }
  }

  #outgoing(request: ExpertRequest): OutgoingRequest {
    const { ask, headers } = request;
    this.#server.adapter?.used();
    return {
      method: 'POST',
      path: this.#server.at(ask.dialect.paths[0]),
      headers: {
        ...headers,
        ...this.#server.headers,
        ...(ask.contentType === undefined ? {} : { 'content-type': ask.contentType }),
      },
      body: ask.dialect.forward(ask, this.#needs(request)),
    };
  }

  #needs({ insisted = false }: ExpertRequest): ServerNeeds {
    const quirks = quirksNamed(this.#server.quirks.name);
    return { model: this.#server.model, limit: this.#maxTokens, quirks, insisted };
  }

  health(signal: AbortSignal): Promise<Health> {
    return this.#server.health(signal);
  }

  load(signal: AbortSignal): Promise<void> {
    return this.#server.load(signal);
  }

  unload(signal: AbortSignal): Promise<void> {
    return this.#server.unload(signal);
  }

  describe(signal: AbortSignal): Promise<EngineDescription> {
    return this.#server.describe(signal);
  }

  reportedLoad(signal: AbortSignal): Promise<ReportedLoad | null> {
    return this.#server.reportedLoad(signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running.close();
    this.#server.close();
  }

  #asFailure(error: WireError): RouterError {
    return this.#closed ? stopped(this.id) : asRouterError(this.id, error);
  }
}

/** Whether an older server has no such path; it would name a model that it does not have. */
function isUnserved({ status, message }: ToldFailure): boolean {
  return status === 405 || status === 501 || (status === 404 && !/model/i.test(message));
}

function stopped(expert: string): RouterError {
  return new RouterError('shutting_down', `Expert '${expert}' was stopped.`);
}

/** Fails as soon as the call that started it has returned. */
function refuse(sink: AnswerSink, error: RouterError): Generation {
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
