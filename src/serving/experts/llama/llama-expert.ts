/**
 * The expert of kind `llama`: a system prompt and a way of sampling on weights that others may share.
 * It knows nothing of how the weights got here.
 */
import { createHash } from 'node:crypto';
import type { Expert, ExpertRequest, Generation, Health, ReplySink } from '../expert.ts';
import type { ExpertDeps } from '../kind.ts';
import { readMessages, readPrompt } from '../messages.ts';
import { type Parameters, readParameters } from '../parameters.ts';
import { idPrefix } from '../reply.ts';
import { RunningGenerations, type Work } from '../running.ts';
import type { Token } from './engine-api.ts';
import { generate, type Job, type Sampling } from './generate.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { LlamaOptions } from './options.ts';
import { toTokens, withSystem } from './template.ts';

export class LlamaExpert implements Expert {
  readonly kind = 'llama';
  readonly id: string;
  readonly #options: LlamaOptions;
  readonly #loaded: LoadedModel;
  readonly #release: () => Promise<void>;
  readonly #deps: Pick<ExpertDeps, 'newId' | 'now'>;
  readonly #running = new RunningGenerations();
  #closed = false;

  constructor(
    id: string,
    options: LlamaOptions,
    shared: { loaded: LoadedModel; release(): Promise<void> },
    deps: Pick<ExpertDeps, 'newId' | 'now'>,
  ) {
    this.id = id;
    this.#options = options;
    this.#loaded = shared.loaded;
    this.#release = shared.release;
    this.#deps = deps;
  }

  generate(request: ExpertRequest, sink: ReplySink): Generation {
    const replyId = this.#deps.newId(idPrefix(request));
    const facts = { id: replyId, created: Math.floor(this.#deps.now() / 1000), model: this.id };
    return this.#running.start(request, sink, facts, (work) => this.#answer(request, replyId, work));
  }

  async health(): Promise<Health> {
    if (this.#closed) return { state: 'down', failure: { kind: 'closed' } };
    const { free, waiting } = this.#loaded.load;
    return {
      state: 'ready',
      detail: `${free} of ${this.#options.parallel} sequences free, ${waiting} waiting`,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running.close();
    await this.#release();
  }

  async #answer(request: ExpertRequest, replyId: string, work: Work): Promise<void> {
    const asked = readParameters(request);
    const prompt = this.#prompt(request);
    const maxTokens = Math.min(
      asked.maxTokens ?? this.#options.max_tokens,
      this.#loaded.room - prompt.length,
    );
    const sampling = chooseSampling(asked, this.#options, replyId);
    const job: Job = { prompt, maxTokens, stop: asked.stop, sampling };
    const sequence = await this.#loaded.borrow(prompt, work.signal);
    try {
      const listener = {
        signal: work.signal,
        text: (piece: string) => work.reply.text(piece),
        drained: () => work.drained(),
      };
      const { finishReason, usage } = await generate(this.#loaded.model, sequence, job, listener);
      work.reply.finish(finishReason, usage);
    } finally {
      this.#loaded.giveBack(sequence);
    }
  }

  #prompt(request: ExpertRequest): Token[] {
    const { model, template, room } = this.#loaded;
    if (request.endpoint === 'completions') {
      return toTokens(model, [{ control: false, text: readPrompt(request.json.prompt) }], room);
    }
    return toTokens(
      model,
      template(withSystem(this.#options.system, readMessages(request.json.messages))),
      room,
    );
  }
}

/** The client's word first, then the config's. Without a seed the reply's own id makes one, new each time. */
function chooseSampling(asked: Parameters, options: LlamaOptions, replyId: string): Sampling {
  return {
    temperature: asked.temperature ?? options.temperature,
    topP: asked.topP ?? options.top_p,
    topK: asked.topK ?? options.top_k,
    seed: (asked.seed ?? createHash('sha256').update(replyId).digest().readUInt32LE()) >>> 0,
    repetitionPenalty: asked.repetitionPenalty ?? options.repetition_penalty,
    frequencyPenalty: asked.frequencyPenalty,
    presencePenalty: asked.presencePenalty,
  };
}
