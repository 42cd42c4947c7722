/** The expert of kind `llama`: a system prompt and a way of sampling on weights that others may share. */
import { createHash } from 'node:crypto';
import type { Ask, Parameters, Tool } from '../../dialects/ask.ts';
import { offeredTools, refuseUnmet } from '../demands.ts';
import type { AnswerSink, Expert, ExpertRequest, Generation, Health } from '../expert.ts';
import type { ExpertDeps } from '../kind.ts';
import { RunningGenerations, type Work } from '../running.ts';
import { type Constraint, callOfOne, constraintOf, LLAMA_CAN } from './constraint.ts';
import type { Token } from './engine-api.ts';
import type { Job, Sampling } from './generate.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { LlamaOptions } from './options.ts';
import { tell } from './tell.ts';
import { toTokens, withSystem } from './template.ts';
import { CALL, exampleTurns, LEAN, messagesWithCalls, personSpokeLast, toldOfTools } from './tools.ts';

export class LlamaExpert implements Expert {
  readonly kind = 'llama';
  readonly speaks = [];
  readonly can = LLAMA_CAN;
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
    refuseUnmet(ask, LLAMA_CAN);
    const asked = ask.parameters();
    const constraint = constraintOf(ask);
    const offered = offeredTools(ask);
    if (constraint !== null && offered.length > 0) work.drop('tools');
    const tools = constraint === null ? offered : [];
    const { tokens, leans } = this.#prompt(ask, constraint, tools);
    const maxTokens = Math.min(
      asked.maxTokens ?? this.#options.max_tokens,
      this.#loaded.room - tokens.length,
    );
    const sampling = chooseSampling(asked, this.#options, replyId);
    const job: Job = {
      ...{ prompt: tokens, maxTokens, stop: asked.stop, sampling },
      ...(leans ? { bias: this.#loaded.leaning(CALL, LEAN) } : {}),
    };
    const newCallId = () => this.#deps.newId('call').replace('-', '_');
    const sequence = await this.#loaded.borrow(tokens, work.signal);
    const callPrompt = this.#trained ? null : () => this.#prompt(ask, callOfOne(tools), []).tokens;
    try {
      await tell({ loaded: this.#loaded, sequence, job, constraint, tools, callPrompt, newCallId }, work);
    } finally {
      this.#loaded.giveBack(sequence);
    }
  }

  /** Whether the model has learned to call tools: its vocabulary has the tag. */
  get #trained(): boolean {
    return this.#loaded.model.tokenize(CALL, true).length === 1;
  }

  #prompt(
    ask: Ask,
    constraint: Constraint | null,
    tools: readonly Tool[],
  ): { readonly tokens: Token[]; readonly leans: boolean } {
    const { model, template, room } = this.#loaded;
    const prompt = ask.prompt();
    if (prompt.kind === 'text')
      return {
        tokens: toTokens(model, [{ control: false, text: prompt.text }], room, prompt.at),
        leans: false,
      };
    const told = tools.length > 0 ? toldOfTools(tools, this.#trained) : constraint?.told;
    const system = [this.#options.system, told].filter(Boolean).join('\n\n');
    const messages = withSystem(system, messagesWithCalls(prompt.messages));
    const untrained = tools.length > 0 && !this.#trained;
    if (untrained) messages.splice(1, 0, ...exampleTurns(tools));
    return {
      tokens: toTokens(model, template(messages, prompt.at), room, prompt.at),
      leans: untrained && personSpokeLast(prompt.messages),
    };
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
