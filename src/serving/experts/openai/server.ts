/** The server of an expert with OpenAI's API: what it serves, whether it does, and what its engine tells of the model. */
import { HttpClient, type Trust } from '../../../http/client.ts';
import { contextOf, modelIds, parentOf } from '../../engines/answers.ts';
import { ask, isAnswer, jsonOf } from '../../engines/ask.ts';
import type { ModelTraits } from '../../engines/engine.ts';
import { failureText } from '../../engines/failure.ts';
import { vllm } from '../../engines/vllm.ts';
import { accessHeaders, accessQuery } from '../access.ts';
import { apiBase, pathAt } from '../api-base.ts';
import type { EngineDescription, Health, ReportedLoad } from '../expert.ts';
import type { ExpertDeps } from '../kind.ts';
import { LoadedOnDemand } from '../loaded-on-demand.ts';
import { Adapter } from './adapter.ts';
import { OpenAiEngine } from './engine.ts';
import { ModelLoading } from './loading.ts';
import { contextOn, type ReadPage, traitsOn } from './model-pages.ts';
import { type OpenAiOptions, type OpenAiReplica, replicasOf } from './options.ts';
import { QuirksFinder } from './quirks-finder.ts';

/** What loading an adapter is taken for where the config does not say. */
const ADAPTER_LOAD_MS = 1_000;

export class OpenAiServer {
  readonly base: URL;
  readonly client: HttpClient;
  readonly quirks: QuirksFinder;
  /** With its key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Tokens that prompt and answer may have together; null while that is unknown. */
  context: number | null = null;
  traits: ModelTraits | null = null;
  /** Null for a model of its own. */
  adapter: Adapter | null = null;
  /** Null where the config names none. */
  readonly #named: string | null;
  readonly #id: string;
  /** The one named, else the only one that is served, else the expert's id. */
  #model: string;
  /** Of every address, without its question mark. */
  readonly #query: string;
  readonly #lora: OpenAiOptions['lora'];
  readonly #engine: OpenAiEngine;
  readonly #loading: ModelLoading;
  /** Where nobody else loads what is missing. */
  readonly #loaded: LoadedOnDemand | null;
  /** Somebody else does, when it is needed. */
  readonly #loadedElsewhere: boolean;
  readonly #life = new AbortController();

  /** @param id of its expert */
  constructor(
    id: string,
    options: OpenAiOptions,
    trust: Trust,
    { loadedWhenNeeded = false, log }: ExpertDeps,
  ) {
    const [{ url, metrics_url: metricsUrl = null }] = replicasOf(options) as [OpenAiReplica];
    const { connect_timeout: connect, header_timeout: head, idle_timeout: idle } = options;
    const base = apiBase(url);
    const access = accessHeaders(options);
    this.#id = id;
    this.base = base;
    this.headers = { 'content-type': 'application/json', ...access };
    this.client = new HttpClient(base, { connect, head, idle }, trust);
    this.quirks = new QuirksFinder(base, access, trust, {
      engine: options.quirks ?? options.dialect ?? null,
      dialects: options.dialects ?? null,
    });
    this.#named = options.model ?? null;
    this.#model = options.model ?? id;
    this.#query = accessQuery(url, options.query);
    this.#lora = options.lora;
    if (this.#lora) this.#isAdapter();
    this.#engine = new OpenAiEngine({ base, model: () => this.#model, headers: access, metricsUrl, trust });
    this.#loading = new ModelLoading({
      expert: id,
      base,
      client: this.client,
      headers: this.headers,
      adapter: this.#lora?.path ?? null,
      model: () => this.#model,
      engine: () => this.quirks.engine ?? (this.#lora ? vllm : null),
    });
    this.#loadedElsewhere = loadedWhenNeeded;
    const itself = this.#lora?.path !== undefined && !loadedWhenNeeded;
    // Its engine is found out first.
    const loadable = { name: options.model ?? id, load: (signal: AbortSignal) => this.load(signal) };
    this.#loaded = itself ? new LoadedOnDemand(id, loadable, this.#life.signal, log) : null;
  }

  /** The name by which it knows the model. */
  get model(): string {
    return this.#model;
  }

  /** A path of a dialect, perhaps with a query, at this server. */
  at(path: string): string {
    const own = pathAt(this.base, path);
    if (this.#query === '') return own;
    return `${own}${own.includes('?') ? '&' : '?'}${this.#query}`;
  }

  async health(signal: AbortSignal): Promise<Health> {
    const health = await this.#ask(signal);
    if (health.state !== 'ready') {
      if (health.state === 'down') {
        this.quirks.forget();
        this.traits = null;
      }
      return health;
    }
    await this.quirks.settle(signal);
    if (this.#loadedElsewhere && (await this.#loading.isLoaded(signal)) === false) return this.#missing();
    const read: ReadPage = (path, body) => this.#page(signal, path, body);
    this.context ??= await contextOn(this.quirks.context, this.#model, read);
    this.traits ??= await traitsOn(this.quirks.traits, this.#model, read);
    return health;
  }

  /** Its server is there, its model is not. */
  #missing(): Health {
    if (this.#loaded) return this.#loaded.health();
    const detail = 'it is loaded when it is needed';
    return { state: 'down', failure: { kind: 'not-loaded', model: this.#model, detail } };
  }

  async load(signal: AbortSignal): Promise<void> {
    await this.quirks.settle(signal);
    await this.#loading.load(signal);
  }

  async unload(signal: AbortSignal): Promise<void> {
    await this.quirks.settle(signal);
    await this.#loading.unload(signal);
  }

  #isAdapter(): void {
    this.adapter ??= new Adapter(() => this.#model, this.#lora?.load_time ?? ADAPTER_LOAD_MS);
  }

  async #page(signal: AbortSignal, path: string, body?: string): ReturnType<ReadPage> {
    const asked = { path: this.at(path), headers: this.headers };
    const question = body === undefined ? asked : ({ ...asked, method: 'POST', body } as const);
    return jsonOf(await ask(this.client, question, signal));
  }

  async #ask(signal: AbortSignal): Promise<Health> {
    const path = this.at('/v1/models');
    const asked = await ask(this.client, { path, headers: this.headers }, signal);
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

  /** Takes the only model there is where the config names none. @returns what is wrong with the name; null for nothing */
  #settleModel(served: readonly string[]): string | null {
    if (this.#named === null && !this.#lora) this.#model = served.length === 1 ? served[0]! : this.#id;
    if (served.length === 0 || served.includes(this.#model)) return null;
    const wrong = failureText({ kind: 'wrong-model', wanted: this.#model, served });
    return this.#named === null ? `the config names no model, and ${wrong}` : wrong;
  }

  async describe(signal: AbortSignal): Promise<EngineDescription> {
    const told = await this.#engine.describe(signal);
    await this.quirks.settle(signal);
    return { ...told, quirks: this.quirks.name };
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

  close(): void {
    this.#life.abort();
    this.client.close();
    this.#engine.close();
  }
}
