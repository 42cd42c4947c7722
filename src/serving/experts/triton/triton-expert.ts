/** The expert of kind `triton`: one model on one Triton server, by whichever set of tensors it is spoken to. */
import { RouterError } from '../../../core/errors.ts';
import { HttpClient } from '../../../http/client.ts';
import type { HttpProxy } from '../../../http/proxy.ts';
import type { Ask } from '../../dialects/ask.ts';
import { type EngineFailure, FailureError, failureFrom } from '../../engines/failure.ts';
import { readLoad } from '../../engines/scrape.ts';
import { triton as tritonFacts } from '../../engines/triton.ts';
import { offeredTools, refuseUnmet } from '../demands.ts';
import type {
  AnswerSink,
  EngineDescription,
  Expert,
  ExpertRequest,
  Generation,
  Health,
  ReportedLoad,
} from '../expert.ts';
import type { ExpertDeps } from '../kind.ts';
import { LoadedOnDemand } from '../loaded-on-demand.ts';
import { provedByAsking } from '../prove.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { Answer } from './answer.ts';
import { type Inference, inputsFor } from './dialect.ts';
import { asRouterError, failureOf } from './faults.ts';
import type { TritonOptions } from './options.ts';
import { readOutput } from './output.ts';
import type { MakePrompt, Prompt } from './prompt.ts';
import { load as loadModel, modelState, unload as unloadModel } from './repository.ts';
import { type ModelFacts, ServedModel } from './served-model.ts';
import { type InferRequest, ServerError, type TritonServer } from './server.ts';
import type { TokenizerFiles, Tokens } from './tokenizer.ts';

/** What was read and opened for the expert before it was made. */
export interface TritonParts {
  readonly url: string;
  readonly server: TritonServer;
  readonly makePrompt: MakePrompt;
  readonly files: TokenizerFiles | null;
  /** Where its load is read, or null. */
  readonly metrics: string | null;
  readonly proxy: HttpProxy | null;
}

export class TritonExpert implements Expert {
  readonly kind = 'triton';
  readonly speaks = [];
  readonly can = [];
  readonly id: string;
  readonly reportedLoad?: (signal: AbortSignal) => Promise<ReportedLoad>;
  readonly #options: TritonOptions;
  readonly #parts: TritonParts;
  readonly #deps: Pick<ExpertDeps, 'newId' | 'now'>;
  readonly #model: ServedModel;
  readonly #loading: LoadedOnDemand | null;
  readonly #running: RunningGenerations;
  readonly #life = new AbortController();
  #metricsClient: HttpClient | null = null;

  constructor(
    id: string,
    options: TritonOptions,
    parts: TritonParts,
    deps: Pick<ExpertDeps, 'newId' | 'now' | 'log'>,
  ) {
    this.id = id;
    this.#options = options;
    this.#parts = parts;
    this.#deps = deps;
    this.#running = new RunningGenerations(id);
    const { model, dialect, output, load } = options;
    this.#model = new ServedModel(parts.server, { expert: id, url: parts.url, model, dialect, output });
    const loadable = { name: model ?? '', load: (signal: AbortSignal) => this.load(signal) };
    this.#loading = load && model ? new LoadedOnDemand(id, loadable, this.#life.signal, deps.log) : null;
    this.#loading?.start();
    if (parts.metrics) {
      const address = new URL(parts.metrics);
      this.reportedLoad = (signal) => this.#readLoad(address, signal);
    }
  }

  generate({ ask }: ExpertRequest, sink: AnswerSink): Generation {
    const id = this.#deps.newId(ask.dialect.idPrefix);
    const meta = { id, created: Math.floor(this.#deps.now() / 1000), model: this.id };
    return this.#running.start(ask, sink, meta, (work) => this.#answer(ask, id, work));
  }

  async health(signal: AbortSignal): Promise<Health> {
    if (this.#life.signal.aborted) return { state: 'down', failure: { kind: 'closed' } };
    try {
      return await this.#look(signal);
    } catch (error) {
      if (signal.aborted) return { state: 'down', failure: { kind: 'timeout', detail: 'no answer in time' } };
      return { state: 'down', failure: this.#failureOf(error) };
    }
  }

  /** A server tells that a model is ready whose backend hangs. */
  prove(signal: AbortSignal): Promise<Health> {
    return provedByAsking(this, signal);
  }

  async load(signal: AbortSignal): Promise<void> {
    await loadModel(this.#parts.server, await this.#model.name(signal), { signal });
  }

  async unload(signal: AbortSignal): Promise<void> {
    await unloadModel(this.#parts.server, await this.#model.name(signal), { signal });
  }

  async describe(signal: AbortSignal): Promise<EngineDescription> {
    const { server, metrics } = this.#parts;
    try {
      const { version } = await server.serverMetadata(signal);
      const index = await server.repositoryIndex(signal).catch(() => []);
      const ready = new Set(index.filter(({ state }) => state === 'READY').map(({ name }) => name));
      const facts = await this.#model.facts(this.#life.signal).catch(() => null);
      const protocol = server.protocol === 'grpc' ? 'gRPC' : 'HTTP';
      return {
        engine: 'Triton',
        version,
        dialect: facts ? `${facts.dialect} over ${protocol}` : protocol,
        models: [...ready],
        metrics,
      };
    } catch (error) {
      throw new FailureError(this.#failureOf(error));
    }
  }

  async close(): Promise<void> {
    const running = this.#running.close();
    this.#life.abort();
    await running;
    this.#parts.server.close();
    this.#metricsClient?.close();
  }

  async #answer(ask: Ask, id: string, work: Work): Promise<void> {
    refuseUnmet(ask);
    if (offeredTools(ask).length > 0) work.drop('tools');
    const parameters = ask.parameters();
    const prompt = this.#parts.makePrompt(ask.prompt());
    try {
      const facts = await this.#model.facts(this.#life.signal);
      work.signal.throwIfAborted();
      const tokens = facts.dialect === 'core' ? this.#tokens(facts) : null;
      const ids = tokens?.encode(prompt.text, !prompt.templated) ?? null;
      const inference: Inference = {
        ask,
        prompt: ids ?? this.#forTokenizer(prompt),
        parameters,
        maxTokens: Math.min(parameters.maxTokens ?? this.#options.max_tokens, INT32_MAX),
        stream: facts.decoupled,
        endId: tokens?.endId ?? null,
      };
      const answer = new Answer({
        cumulative: facts.decoupled ? facts.cumulative : false,
        echoes: ids ? [] : this.#echoes(prompt, facts),
        stop: parameters.stop,
        maxTokens: inference.maxTokens,
        ids: tokens && ids ? { prompt: ids, endId: tokens.endId, text: tokens.toText() } : null,
      });
      const inputs = inputsFor(facts.dialect, facts.metadata, inference);
      await this.#relay({ model: facts.name, id, inputs, decoupled: facts.decoupled }, answer, work);
    } catch (error) {
      throw this.#told(error);
    }
  }

  async #relay(request: InferRequest, answer: Answer, work: Work): Promise<void> {
    let begun = false;
    try {
      for await (const outputs of this.#parts.server.infer(request, work.signal)) {
        begun = true;
        const { text, stopped } = answer.push(readOutput(outputs));
        if (text && !work.reply.text(text)) await work.drained();
        if (stopped) break;
      }
    } catch (error) {
      // A server that answered and then cannot be reached has broken off.
      const lost = begun && error instanceof ServerError && error.fault === 'unreachable';
      throw lost ? new ServerError('cut', error.message, error) : error;
    }
    work.signal.throwIfAborted();
    const { text, finishReason, usage, stopText } = answer.finish();
    if (text) work.reply.text(text);
    work.reply.finish(finishReason, usage, stopText);
  }

  #tokens(facts: ModelFacts): Tokens {
    const tokens = this.#parts.files?.tokens;
    if (tokens) return tokens;
    throw new RouterError(
      'expert_failed',
      `Expert '${this.id}': model '${facts.name}' takes token ids (dialect core), so the expert needs \`tokenizer\`: ` +
        "the folder with the model's tokenizer.json and tokenizer_config.json.",
    );
  }

  /** Servers that tokenise put the beginning-of-text token before a text themselves; a second would be one too many. */
  #forTokenizer({ text, templated }: Prompt): string {
    const bos = this.#parts.files?.bos;
    return templated && bos && text.startsWith(bos) ? text.slice(bos.length) : text;
  }

  /**
   * What an answer may begin with that is no part of it. Of a prompt without template, which can be short, that is
   * believed only of a model that cannot be asked to leave it out.
   */
  #echoes(prompt: Prompt, { metadata }: ModelFacts): readonly string[] {
    const excludes = metadata.inputs.some(({ name }) => /exclude_input/.test(name));
    if (!prompt.templated) return excludes ? [] : [prompt.text];
    const text = this.#forTokenizer(prompt);
    const visible = (this.#parts.files?.special ?? []).reduce(
      (rest, special) => rest.replaceAll(special, ''),
      text,
    );
    return [text, visible, visible.trimStart()];
  }

  async #look(signal: AbortSignal): Promise<Health> {
    const { server } = this.#parts;
    const name = await this.#model.name(signal);
    if (await server.modelReady(name, signal)) {
      const { dialect } = await this.#model.facts(this.#life.signal);
      return { state: 'ready', detail: `model ${name}, dialect ${dialect}, ${server.protocol}` };
    }
    // Whatever comes back under this name may be another model.
    this.#model.forget();
    if (this.#loading) return this.#loading.health();
    const state = await modelState(server, name, signal).catch(() => null);
    if (state?.state === 'LOADING') return { state: 'warming', detail: `model ${name} is being loaded` };
    const why = state?.reason || (state ? 'not loaded' : 'not in its repository');
    return { state: 'down', failure: failureOf(this.#where(), new ServerError('unavailable', why)) };
  }

  #readLoad(address: URL, signal: AbortSignal): Promise<ReportedLoad> {
    const { connect_timeout, idle_timeout } = this.#options;
    const deadlines = { connect: connect_timeout, head: idle_timeout, idle: idle_timeout };
    this.#metricsClient ??= new HttpClient(address, deadlines, { proxy: this.#parts.proxy });
    const model = this.#model.knownName;
    return readLoad({ client: this.#metricsClient, address, engine: tritonFacts, model }, signal);
  }

  #where() {
    return { expert: this.id, url: this.#parts.url, model: this.#model.knownName };
  }

  #failureOf(error: unknown): EngineFailure {
    return error instanceof ServerError ? failureOf(this.#where(), error) : failureFrom(error);
  }

  #told(error: unknown): unknown {
    if (!(error instanceof ServerError)) return error;
    if (STALE.has(error.fault)) this.#model.forget();
    return asRouterError(this.#where(), error);
  }
}

/** What a 32-bit tensor holds at most. */
const INT32_MAX = 2 ** 31 - 1;

/** After these the model may be another than the one that was described. */
const STALE: ReadonlySet<ServerError['fault']> = new Set([
  'not_found',
  'unavailable',
  'invalid',
  'unreachable',
  'cut',
]);
