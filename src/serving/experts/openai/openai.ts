/**
 * An expert that speaks OpenAI's API over HTTP: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds. It relays bytes
 * both ways, editing only the model name and what the engine's quirks require. Requests in a dialect that the engine
 * does not speak are translated to chat completions.
 */
import { RouterError } from '../../../core/errors.ts';
import { HttpClient, type OutgoingRequest, type Trust, WireError } from '../../../http/client.ts';
import { PulledResponse } from '../../../http/pulled-response.ts';
import type { Ask } from '../../dialects/ask.ts';
import type { DialectId } from '../../dialects/index.ts';
import { openAiChat } from '../../dialects/openai/chat.ts';
import { asChat, CHAT_CAN } from '../../dialects/openai/translated.ts';
import { PASSED } from '../../dialects/passed.ts';
import type { ServerNeeds } from '../../dialects/quirks.ts';
import { contextOf, modelIds, parentOf } from '../../engines/answers.ts';
import { ask as askServer, isAnswer, jsonOf } from '../../engines/ask.ts';
import type { ModelTraits } from '../../engines/engine.ts';
import { failureText } from '../../engines/failure.ts';
import { vllm } from '../../engines/vllm.ts';
import type { ToldFailure } from '../../reply/failure.ts';
import type { ReplyMeta } from '../../reply/reply.ts';
import { accessHeaders, accessQuery, reach } from '../access.ts';
import { apiBase, pathAt } from '../api-base.ts';
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
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { LoadedOnDemand } from '../loaded-on-demand.ts';
import { spokenFor, writesText } from '../option-types.ts';
import { type Answer, answerOr, relay } from '../relay.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { readAnswer } from '../translated-answer.ts';
import { TRUST_PATHS } from '../trust.ts';
import { asRouterError } from '../wire-failure.ts';
import { Adapter } from './adapter.ts';
import { OpenAiEngine } from './engine.ts';
import { ModelLoading } from './loading.ts';
import { contextOn, type ReadPage, traitsOn } from './model-pages.ts';
import {
  addressObjection,
  type OpenAiOptions,
  type OpenAiReplica,
  openaiOptions,
  replicasOf,
} from './options.ts';
import { quirksNamed } from './quirks.ts';
import { QuirksFinder, USUAL } from './quirks-finder.ts';

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
  objection: addressObjection,
  discover: ({ discover = null }) => discover,
  at: (options, url) => ({ ...options, discover: undefined, url }),
  paths: TRUST_PATHS,
  upstream: (options) =>
    isProxied(options)
      ? null
      : {
          servers: replicasOf(options).map(({ url, weight }) => ({ url: apiBase(url), weight })),
          connectTimeout: options.connect_timeout,
          silence: Math.max(options.header_timeout, options.idle_timeout),
          trust: options,
        },
  create: async (id, options, deps) => {
    const [{ url }] = replicasOf(options) as [OpenAiReplica];
    return new OpenAiExpert(id, options, await reach(id, { ...options, url }, deps), deps);
  },
};

/** What costs an engine least. */
const TEST_JSON = { max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] };
const TEST = { bytes: Buffer.from(JSON.stringify(TEST_JSON)), json: TEST_JSON, partial: false };

/** What loading an adapter is taken for where the config does not say. */
const ADAPTER_LOAD_MS = 1_000;

class OpenAiExpert implements Expert {
  readonly kind = 'openai';
  readonly passes = true;
  context: number | null = null;
  traits: ModelTraits | null = null;
  readonly id: string;
  readonly prove?: (signal: AbortSignal) => Promise<Health>;
  /** Null where the config names none. */
  readonly #named: string | null;
  /** The one named, else the only one that is served, else the expert's id. */
  #model: string;
  readonly #base: URL;
  readonly address?: URL;
  readonly #headers: Readonly<Record<string, string>>;
  /** Of every address, without its question mark. */
  readonly #query: string;
  readonly #client: HttpClient;
  readonly #quirks: QuirksFinder;
  readonly #maxTokens: number | undefined;
  readonly #capabilities: OpenAiOptions['capabilities'];
  /** What it is asked in, and what of its engine that was made of. */
  #spoken: { readonly engine: readonly DialectId[]; readonly own: readonly DialectId[] } | null = null;
  readonly answersText: boolean;
  readonly can = CHAT_CAN;
  readonly #engine: OpenAiEngine;
  readonly #deps: ExpertDeps;
  readonly #running: RunningGenerations;
  readonly #life = new AbortController();
  readonly #loading: ModelLoading;
  /** Where nobody else loads what is missing. */
  readonly #loaded: LoadedOnDemand | null;
  readonly #lora: OpenAiOptions['lora'];
  adapter: Adapter | null = null;

  constructor(id: string, options: OpenAiOptions, trust: Trust, deps: ExpertDeps) {
    const [{ url, metrics_url: metricsUrl = null }] = replicasOf(options) as [OpenAiReplica];
    const base = apiBase(url);
    this.id = id;
    this.#named = options.model ?? null;
    this.#model = options.model ?? id;
    this.#base = base;
    if (!isProxied(options)) this.address = base;
    const access = accessHeaders(options);
    this.#headers = { 'content-type': 'application/json', ...access };
    this.#query = accessQuery(url, options.query);
    const { connect_timeout: connect, header_timeout: head, idle_timeout: idle } = options;
    this.#client = new HttpClient(base, { connect, head, idle }, trust);
    this.#quirks = new QuirksFinder(base, access, trust, {
      engine: options.quirks ?? options.dialect ?? null,
      dialects: options.dialects ?? null,
    });
    this.#maxTokens = options.max_tokens;
    this.answersText = writesText(options.capabilities);
    this.#capabilities = options.capabilities;
    this.#deps = deps;
    this.#running = new RunningGenerations(id);
    if (this.answersText && (options.test_request ?? base.protocol === 'http:'))
      this.prove = (signal) => this.#prove(signal);
    this.#lora = options.lora;
    if (this.#lora) this.#isAdapter();
    this.#loading = new ModelLoading({
      expert: id,
      base,
      client: this.#client,
      headers: this.#headers,
      adapter: this.#lora?.path ?? null,
      model: () => this.#model,
      engine: () => this.#quirks.engine ?? (this.#lora ? vllm : null),
    });
    const itself = this.#lora?.path !== undefined && !deps.loadedWhenNeeded;
    // Its engine is found out first.
    const loadable = { name: options.model ?? id, load: (signal: AbortSignal) => this.load(signal) };
    this.#loaded = itself ? new LoadedOnDemand(id, loadable, this.#life.signal, deps.log) : null;
    this.#engine = new OpenAiEngine({ base, model: () => this.#model, headers: access, metricsUrl, trust });
  }

  get speaks(): readonly DialectId[] {
    const engine = this.#quirks.speaks;
    if (this.#spoken?.engine !== engine)
      this.#spoken = { engine, own: spokenFor(this.#capabilities, engine) };
    return this.#spoken.own;
  }

  generate(request: ExpertRequest, sink: AnswerSink): Generation {
    if (this.#life.signal.aborted) return refuse(sink, stopped(this.id));
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
      model: this.#model,
    };
  }

  asSent(asked: ExpertRequest): ServerRequest {
    const request = this.#outgoing(asked);
    return { ...request, body: request.body as Buffer, model: this.#model };
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
      statuses: quirksNamed(this.#quirks.name).statuses ?? {},
      asFailure: (error: WireError) => this.#asFailure(error),
      asStream: (body: Buffer) => asStream(ask, this.#meta(ask), CHAT_CAN, body),
    };
    const request = this.#outgoing(asked);
    const put =
      (outgoing: OutgoingRequest): Answer =>
      (told) =>
        relay(this.#client, outgoing, options, told);
    if (USUAL.includes(ask.dialect.id as DialectId)) return put(request)(sink);
    const instead = (refusal: ToldFailure): Answer | null => {
      if (ask.dialect.writer !== null && isUnserved(refusal)) {
        this.#quirks.unlearn(ask.dialect.id);
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
      const response = await PulledResponse.open(this.#client, request, work.signal);
      await readAnswer(response, { expert: this.id, dialect: openAiChat, reply: work.reply }, work);
    } catch (error) {
      throw error instanceof WireError ? this.#asFailure(error) : error;
    }
  }

  #outgoing(request: ExpertRequest): OutgoingRequest {
    const { ask, headers } = request;
    this.adapter?.used();
    return {
      method: 'POST',
      path: this.#at(ask.dialect.paths[0]),
      headers: {
        ...headers,
        ...this.#headers,
        ...(ask.contentType === undefined ? {} : { 'content-type': ask.contentType }),
      },
      body: ask.dialect.forward(ask, this.#needs(request)),
    };
  }

  #needs({ insisted = false }: ExpertRequest): ServerNeeds {
    const quirks = quirksNamed(this.#quirks.name);
    return { model: this.#model, limit: this.#maxTokens, quirks, insisted };
  }

  /** A path of a dialect, perhaps with a query, at this server. */
  #at(path: string): string {
    const own = pathAt(this.#base, path);
    if (this.#query === '') return own;
    return `${own}${own.includes('?') ? '&' : '?'}${this.#query}`;
  }

  async health(signal: AbortSignal): Promise<Health> {
    const health = await this.#ask(signal);
    if (health.state !== 'ready') {
      if (health.state === 'down') {
        this.#quirks.forget();
        this.traits = null;
      }
      return health;
    }
    await this.#quirks.settle(signal);
    if (this.#deps.loadedWhenNeeded && (await this.#loading.isLoaded(signal)) === false)
      return this.#missing();
    const read: ReadPage = (path, body) => this.#page(signal, path, body);
    this.context ??= await contextOn(this.#quirks.context, this.#model, read);
    this.traits ??= await traitsOn(this.#quirks.traits, this.#model, read);
    return health;
  }

  /** Its server is there, its model is not. */
  #missing(): Health {
    if (this.#loaded) return this.#loaded.health();
    const detail = 'it is loaded when it is needed';
    return { state: 'down', failure: { kind: 'not-loaded', model: this.#model, detail } };
  }

  async load(signal: AbortSignal): Promise<void> {
    await this.#quirks.settle(signal);
    await this.#loading.load(signal);
  }

  async unload(signal: AbortSignal): Promise<void> {
    await this.#quirks.settle(signal);
    await this.#loading.unload(signal);
  }

  #isAdapter(): void {
    this.adapter ??= new Adapter(() => this.#model, this.#lora?.load_time ?? ADAPTER_LOAD_MS);
  }

  async #page(signal: AbortSignal, path: string, body?: string): ReturnType<ReadPage> {
    const asked = { path: this.#at(path), headers: this.#headers };
    const question = body === undefined ? asked : ({ ...asked, method: 'POST', body } as const);
    return jsonOf(await askServer(this.#client, question, signal));
  }

  async #ask(signal: AbortSignal): Promise<Health> {
    const path = this.#at('/v1/models');
    const asked = await askServer(this.#client, { path, headers: this.#headers }, signal);
    if (!isAnswer(asked)) return { state: 'down', failure: asked };
    const { status } = asked;
    if (status === 401) return { state: 'down', failure: { kind: 'unauthorized', status } };
    const served = modelIds(asked) ?? [];
    const kept = this.#lora?.path !== undefined;
    if (kept && served.length > 0 && !served.includes(this.#model)) return this.#missing();
    const warning = this.#settleModel(served);
    if (parentOf(asked, this.#model) !== null) this.#isAdapter();
    this.context = contextOf(asked, this.#model);
    // Some servers have no model list; an answer of any other kind below 500 shows that the server is up.
    if (status < 500) return { state: 'ready', ...(warning === null ? {} : { warning }) };
    return { state: 'down', failure: { kind: 'status', asked: `GET ${path}`, status } };
  }

  /** Any answer that is no failure of the server's own shows that the engine works. */
  async #prove(signal: AbortSignal): Promise<Health> {
    const ask = openAiChat.ask(openAiChat.facts(TEST.json), TEST);
    const question = this.#outgoing({ ask, headers: {}, traceId: '' });
    const asked = await askServer(this.#client, { ...question, method: 'POST' }, signal);
    if (!isAnswer(asked)) return { state: 'down', failure: asked };
    const { status } = asked;
    if (status < 500) return { state: 'ready' };
    return { state: 'down', failure: { kind: 'status', asked: `POST ${question.path}`, status } };
  }

  /** Takes the only model there is where the config names none. @returns what is wrong with the name; null for nothing */
  #settleModel(served: readonly string[]): string | null {
    if (this.#named === null && !this.#lora) this.#model = served.length === 1 ? served[0]! : this.id;
    if (served.length === 0 || served.includes(this.#model)) return null;
    const wrong = failureText({ kind: 'wrong-model', wanted: this.#model, served });
    return this.#named === null ? `the config names no model, and ${wrong}` : wrong;
  }

  async describe(signal: AbortSignal): Promise<EngineDescription> {
    const told = await this.#engine.describe(signal);
    await this.#quirks.settle(signal);
    return { ...told, quirks: this.#quirks.name };
  }

  async reportedLoad(signal: AbortSignal): Promise<ReportedLoad | null> {
    let load: ReportedLoad | null = null;
    try {
      load = await this.#engine.reportedLoad(signal);
    } finally {
      this.adapter?.heard(load?.adapters);
    }
    return load;
  }

  async close(): Promise<void> {
    this.#life.abort();
    await this.#running.close();
    this.#client.close();
    this.#engine.close();
  }

  #asFailure(error: WireError): RouterError {
    return this.#life.signal.aborted ? stopped(this.id) : asRouterError(this.id, error);
  }
}

/** Whether the config puts a proxy before it, through which nobody asks in our place. */
function isProxied({ proxy = 'none' }: OpenAiOptions): boolean {
  return proxy !== 'none';
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
