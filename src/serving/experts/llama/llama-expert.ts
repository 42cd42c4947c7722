/** The expert of kind `llama`: a system prompt and a way of sampling on weights that others may share. */
import { createHash } from 'node:crypto';
import type { Ask, Parameters } from '../../dialects/ask.ts';
import { refuseUnmet } from '../demands.ts';
import type { AnswerSink, Expert, ExpertRequest, Generation, Health } from '../expert.ts';
import type { ExpertDeps } from '../kind.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { textMessages } from '../text-prompt.ts';
import type { Token } from './engine-api.ts';
import { generate, type Job, type Sampling } from './generate.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { LlamaOptions } from './options.ts';
import { toTokens, withSystem } from './template.ts';

export class LlamaExpert implements Expert {
  readonly kind = 'llama';
  readonly speaks = [];
  readonly can = [];
  readonly id: string;
  readonly #options: LlamaOptions;
  readonly #loaded: LoadedModel;
  readonly #release: () => Promise<void>;
  readonly #deps: Pick<ExpertDeps, 'newId' | 'now'>;
  readonly #running: RunningGenerations;
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
    this.#running = new RunningGenerations(id);
  }

  generate({ ask }: ExpertRequest, sink: AnswerSink): Generation {
    const replyId = this.#deps.newId(ask.dialect.idPrefix);
    const meta = { id: replyId, created: Math.floor(this.#deps.now() / 1000), model: this.id };
    return this.#running.start(ask, sink, meta, (work) => this.#answer(ask, replyId, work));
  }

  get context(): number {
    return this.#loaded.room;
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

  async #answer(ask: Ask, replyId: string, work: Work): Promise<void> {
    refuseUnmet(ask);
    const asked = ask.parameters();
    const prompt = this.#prompt(ask);
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
      const { finishReason, usage, stopText } = await generate(this.#loaded.model, sequence, job, listener);
      work.reply.finish(finishReason, usage, stopText ?? undefined);
    } finally {
      this.#loaded.giveBack(sequence);
    }
  }

  #prompt(ask: Ask): Token[] {
    const { model, template, room } = this.#loaded;
    const prompt = ask.prompt();
    const pieces =
      prompt.kind === 'text'
        ? [{ control: false, text: prompt.text }]
        : template(withSystem(this.#options.system, textMessages(prompt.messages)), prompt.at);
    return toTokens(model, pieces, room, prompt.at);
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
