/** A request for a response. */
import { wellFormed } from '../../../core/well-formed.ts';
import type { AnswerFormat, Demand, Message, Parameters, Prompt, Tools } from '../ask.ts';
import { invalid, isObject, readNumber, textOrNull } from '../json.ts';
import { ReadAsk, thinks } from '../read-ask.ts';
import { readItems } from './items.ts';
import { RESPONSES_SHAPE } from './shape.ts';
import { type ReadTools, readFormat, readTools, type ToolNames } from './tools.ts';

const FIELDS: Readonly<Record<keyof Parameters, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  maxTokens: 'max_output_tokens',
  repetitionPenalty: 'repetition_penalty',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  stop: 'stop',
  effort: 'reasoning.effort',
};

/** Read, or answered as it was sent. */
const READ = new Set([
  ...['model', 'input', 'instructions', 'stream', 'stream_options', 'store', 'tools', 'tool_choice'],
  ...['parallel_tool_calls', 'max_output_tokens', 'temperature', 'top_p', 'reasoning', 'text', 'include'],
  ...['metadata', 'prompt_cache_key', 'truncation', 'background', 'top_logprobs'],
  ...['previous_response_id', 'conversation', 'prompt'],
]);

const LOGPROBS = 'message.output_text.logprobs';

export class ResponsesAsk extends ReadAsk {
  protected readonly shape = RESPONSES_SHAPE;
  #tools: ReadTools | null = null;

  protected get thinkingField(): string | null {
    const { reasoning } = this.json;
    return isObject(reasoning) && thinks(reasoning.effort) ? 'reasoning' : null;
  }

  prompt(): Prompt {
    const { input, instructions } = this.json;
    if (instructions !== undefined && instructions !== null && typeof instructions !== 'string')
      throw invalid('instructions', 'must be a text');
    const own: readonly Message[] = instructions
      ? [{ role: 'system', at: 'instructions', parts: [{ type: 'text', text: wellFormed(instructions) }] }]
      : [];
    const messages = [...own, ...readItems(input, this.toolNames)];
    return { kind: 'conversation', at: 'input', messages };
  }

  get toolNames(): ToolNames {
    return this.#readTools().names;
  }

  parameters(): Parameters {
    const { json } = this;
    const effort = isObject(json.reasoning) ? textOrNull(json.reasoning.effort) : null;
    return {
      temperature: readNumber(json, 'temperature', 0, 2),
      topP: readNumber(json, 'top_p', 0, 1),
      topK: undefined,
      seed: undefined,
      maxTokens: readNumber(json, 'max_output_tokens', 1, Number.MAX_SAFE_INTEGER, true),
      repetitionPenalty: undefined,
      frequencyPenalty: 0,
      presencePenalty: 0,
      stop: [],
      effort: effort ?? undefined,
    };
  }

  fieldOf(parameter: keyof Parameters): string {
    return FIELDS[parameter];
  }

  tools(): Tools {
    return this.#readTools();
  }

  #readTools(): ReadTools {
    this.#tools ??= readTools(this.json);
    return this.#tools;
  }

  format(): AnswerFormat {
    return readFormat(this.json.text);
  }

  protected readDemands(): readonly Demand[] {
    const { json } = this;
    const { choice } = this.tools();
    const format = this.format();
    const included: readonly unknown[] = Array.isArray(json.include) ? json.include : [];
    const probabilities = typeof json.top_logprobs === 'number' && json.top_logprobs > 0;
    const wanted: readonly [wanted: boolean, demand: Demand][] = [
      [choice?.type === 'any' || choice?.type === 'one', { needs: 'a chosen tool', param: 'tool_choice' }],
      [format.type === 'json', { needs: 'json', param: 'text.format' }],
      [format.type === 'schema', { needs: 'json schema', param: 'text.format' }],
      [probabilities, { needs: 'token probabilities', param: 'top_logprobs' }],
      [included.includes(LOGPROBS), { needs: 'token probabilities', param: 'include' }],
      [json.background === true, { needs: 'a store', param: 'background' }],
      [isObject(json.prompt), { needs: 'a store', param: 'prompt' }],
      [this.stored !== null, { needs: 'a store', param: this.stored ?? '' }],
    ];
    return wanted.filter(([is]) => is).map(([, demand]) => demand);
  }

  unread(): readonly string[] {
    const { json } = this;
    const verbose = isObject(json.text) && json.text.verbosity != null ? ['text.verbosity'] : [];
    // Nothing is cut out of a conversation that is too long.
    const truncated = json.truncation === 'auto' ? ['truncation'] : [];
    return [...this.fieldsBeside(READ), ...verbose, ...truncated, ...this.#readTools().leftOut];
  }
}
