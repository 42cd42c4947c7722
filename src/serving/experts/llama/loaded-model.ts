/**
 * Weights in memory with one context of several sequences, shared by every expert that asks for the same. It lends
 * sequences and goes away with its last user.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeError, UserError } from '../../../core/errors.ts';
import { fetchWeights } from '../../weights/fetch.ts';
import type { ExpertDeps } from '../kind.ts';
import type {
  EngineModule,
  GrammarState,
  JinjaModule,
  Model,
  Sequence,
  Token,
  TokenBias,
} from './engine-api.ts';
import { ensureEngine } from './install.ts';
import type { LlamaOptions } from './options.ts';
import { Slots } from './slots.ts';
import { type ChatTemplate, chatTemplate } from './template.ts';

export interface LoadedModel {
  readonly model: Model;
  readonly template: ChatTemplate;
  /** Tokens of prompt and answer together, in one sequence. */
  readonly room: number;
  /** Waits in a queue for a sequence; prefers the one that already holds the longest beginning of `prompt`. */
  borrow(prompt: Token[], signal: AbortSignal): Promise<Sequence>;
  giveBack(sequence: Sequence): void;
  readonly load: { readonly free: number; readonly waiting: number };
  /** Holds one answer to a schema, or to JSON for null. */
  grammar(schema: Readonly<Record<string, unknown>> | null): Promise<GrammarState>;
  /** Leans the first token of an answer to that of `text`. */
  leaning(text: string, logits: number): (tokens: number) => TokenBias;
}

/** Models in use, by what makes them different from each other. */
export class ModelShelf {
  readonly #models = new Map<string, { users: number; loaded: Promise<Disposable> }>();

  /** Resolves to the model and the call that gives it up. */
  async use(
    options: LlamaOptions,
    deps: ExpertDeps,
  ): Promise<{ loaded: LoadedModel; release(): Promise<void> }> {
    const { weights, context, parallel, threads, gpu } = options;
    const key = JSON.stringify([deps.cacheFolder, weights, context, parallel, threads, gpu]);
    const entry = this.#models.get(key) ?? { users: 0, loaded: load(options, deps) };
    this.#models.set(key, entry);
    entry.users += 1;
    let released = false;
    const release = async (): Promise<void> => {
      if (released) return;
      released = true;
      entry.users -= 1;
      if (entry.users > 0) return;
      this.#models.delete(key);
      await entry.loaded.then(
        (loaded) => loaded.dispose(),
        () => undefined,
      );
    };
    try {
      return { loaded: await entry.loaded, release };
    } catch (error) {
      await release();
      throw error;
    }
  }
}

interface Disposable extends LoadedModel {
  dispose(): Promise<void>;
}

async function load(options: LlamaOptions, deps: ExpertDeps): Promise<Disposable> {
  const signal = deps.signal ?? new AbortController().signal;
  const entry = await ensureEngine(deps);
  const progress = deps.progress?.(`weights ${basename(options.weights)}`, 'bytes');
  let moved = false;
  const path = await fetchWeights(options.weights, {
    ...deps,
    signal,
    onProgress: (done, total, note) => {
      moved = true;
      progress?.update(done, total, note);
    },
  });
  if (moved) progress?.finish();
  try {
    return await open(entry, path, options, signal);
  } catch (error) {
    if (error instanceof UserError || signal.aborted) throw error;
    throw new UserError(
      `llama.cpp could not load ${path}: ${describeError(error)}. ` +
        'If the file is damaged, delete it and run `expert-router pull`; if memory is short, lower `context` or `parallel`.',
    );
  }
}

async function open(
  entry: string,
  path: string,
  options: LlamaOptions,
  signal: AbortSignal,
): Promise<Disposable> {
  const engine = (await import(pathToFileURL(entry).href)) as EngineModule;
  const jinjaEntry = createRequire(entry).resolve('@huggingface/jinja');
  const jinja = (await import(pathToFileURL(jinjaEntry).href)) as JinjaModule;
  // llama.cpp's workers spin while they wait for each other: with one thread per core, any other work (this event
  // loop's, say) stalls them all. Measured on two cores: first answer 40 s with two threads, 4 s with one.
  const threads = options.threads ?? Math.max(1, availableParallelism() - 1);
  const metal = process.platform === 'darwin' && process.arch === 'arm64';
  const llama = await engine.getLlama({
    gpu: options.gpu ?? (metal ? 'auto' : false),
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: 'error',
    logger: () => undefined,
    maxThreads: threads,
  });
  try {
    const model = await llama.loadModel({ modelPath: path, loadSignal: signal });
    const template = chatTemplate(model, jinja);
    const context = await model.createContext({
      contextSize: Math.min(options.context, model.trainContextSize),
      sequences: options.parallel,
      threads,
      createSignal: signal,
    });
    const sequences = Array.from({ length: options.parallel }, () => context.getSequence());
    const slots = new Slots<Sequence>(sequences);
    return {
      model,
      template,
      room: context.contextSize,
      borrow: (prompt, waiting) => slots.take(waiting, (free) => longestShared(free, prompt)),
      giveBack: (sequence) => slots.give(sequence),
      get load() {
        return { free: slots.free, waiting: slots.waiting };
      },
      grammar: async (schema) => {
        const grammar = await (schema === null
          ? llama.getGrammarFor('json')
          : llama.createGrammarForJsonSchema(schema));
        return new engine.LlamaGrammarEvaluationState({ model, grammar });
      },
      leaning: (text, logit) => {
        const [first, none] = [engine.TokenBias.for(model), engine.TokenBias.for(model)];
        first.set(model.tokenize(text)[0]!, { logit });
        return (tokens) => (tokens === 0 ? first : none);
      },
      dispose: () => llama.dispose(),
    };
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

/** Among equals the emptiest, so that other conversations keep what they have computed. */
function longestShared(free: readonly Sequence[], prompt: Token[]): Sequence {
  const shared = (sequence: Sequence) => sequence.compareContextTokens(prompt).firstDifferentIndex;
  return free.reduce((best, sequence) => {
    const gain = shared(sequence) - shared(best);
    return gain > 0 || (gain === 0 && sequence.nextTokenIndex < best.nextTokenIndex) ? sequence : best;
  });
}
