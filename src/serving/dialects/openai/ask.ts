/** A request for a chat completion or a completion. */
import { wellFormed } from '../../../core/well-formed.ts';
import type { AnswerFormat, Capability, Demand, Parameters, Prompt, RoutingFacts, Tools } from '../ask.ts';
import type { Dialect, JsonBody } from '../dialect.ts';
import { invalid, isObject, readNumber, readStops, textOrNull, unsupported } from '../json.ts';
import { ReadAsk, thinks } from '../read-ask.ts';
import type { Shape } from '../shape.ts';
import type { Endpoint } from './bodies.ts';
import { readMessages } from './messages.ts';
import { CHAT_SHAPE, COMPLETION_SHAPE } from './shape.ts';
import { type CallForm, callForm, choosesTool, readFormat, readTools } from './tools.ts';

const FIELDS: Readonly<Record<keyof Parameters, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  maxTokens: 'max_tokens',
  repetitionPenalty: 'repetition_penalty',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  stop: 'stop',
  effort: 'reasoning_effort',
};

type OpenAiDialect = Dialect<'openai-chat' | 'openai-completions'>;

/** Read, or of no weight to a server that keeps nothing. */
const READ = new Set([
  ...['model', 'messages', 'prompt', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens', 'n'],
  ...['temperature', 'top_p', 'top_k', 'seed', 'repetition_penalty', 'frequency_penalty', 'presence_penalty'],
  ...['stop', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call', 'response_format'],
  ...['logprobs', 'echo', 'suffix', 'best_of', 'logit_bias', 'audio', 'reasoning_effort', 'store'],
]);

export class OpenAiAsk extends ReadAsk {
  declare readonly dialect: OpenAiDialect;
  readonly endpoint: Endpoint;
  #callForm: CallForm | null = null;

  constructor(dialect: OpenAiDialect, endpoint: Endpoint, facts: RoutingFacts, body: JsonBody) {
    super(dialect, facts, body);
    this.endpoint = endpoint;
  }

  protected get shape(): Shape {
    return this.endpoint === 'chat' ? CHAT_SHAPE : COMPLETION_SHAPE;
  }

  protected get thinkingField(): string | null {
    return thinks(this.json.reasoning_effort) ? 'reasoning_effort' : null;
  }

  /** Whether a stream ends with its usage. */
  get wantsUsage(): boolean {
    const options = this.json.stream_options;
    return isObject(options) && options.include_usage === true;
  }

  prompt(): Prompt {
    if (this.endpoint === 'chat')
      return { kind: 'conversation', at: 'messages', messages: readMessages(this.json.messages) };
    return { kind: 'text', at: 'prompt', text: readPrompt(this.json.prompt) };
  }

  parameters(): Parameters {
    const { json } = this;
    const topK = readNumber(json, 'top_k', -1, 1_000_000, true);
    return {
      temperature: readNumber(json, 'temperature', 0, 2),
      topP: readNumber(json, 'top_p', 0, 1),
      topK: topK === undefined ? undefined : Math.max(topK, 0),
      seed: readNumber(json, 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true),
      maxTokens: readNumber(json, this.fieldOf('maxTokens'), 1, Number.MAX_SAFE_INTEGER, true),
      repetitionPenalty: readNumber(json, 'repetition_penalty', 0.01, 2),
      frequencyPenalty: readNumber(json, 'frequency_penalty', -2, 2) ?? 0,
      presencePenalty: readNumber(json, 'presence_penalty', -2, 2) ?? 0,
      stop: readStops(json, 'stop'),
      effort: textOrNull(json.reasoning_effort) ?? undefined,
    };
  }

  fieldOf(parameter: keyof Parameters): string {
    const newer = parameter === 'maxTokens' && this.endpoint === 'chat';
    return newer && this.json.max_completion_tokens != null ? 'max_completion_tokens' : FIELDS[parameter];
  }

  tools(): Tools {
    return readTools(this.endpoint === 'chat' ? this.json : {});
  }

  get callForm(): CallForm {
    this.#callForm ??= callForm(this.json);
    return this.#callForm;
  }

  format(): AnswerFormat {
    return readFormat(this.endpoint === 'chat' ? this.json.response_format : null);
  }

  protected readDemands(): readonly Demand[] {
    const { json } = this;
    const { response_format: format } = json;
    const chosen = choosesTool(json);
    const wanted: readonly [param: string, needs: Capability, wanted: boolean][] = [
      ['n', 'several answers', aboveOne(json.n)],
      ['best_of', 'several answers', aboveOne(json.best_of)],
      [chosen ?? '', 'a chosen tool', chosen !== null],
      ['response_format', formatCapability(format), this.format().type !== 'text'],
      ['logprobs', 'token probabilities', json.logprobs != null && json.logprobs !== false],
      ['echo', 'echo', json.echo === true],
      ['suffix', 'insertion', typeof json.suffix === 'string' && json.suffix !== ''],
      ['logit_bias', 'token biases', isObject(json.logit_bias) && Object.keys(json.logit_bias).length > 0],
      ['audio', 'audio', json.audio != null],
      ['modalities', 'audio', Array.isArray(json.modalities) && json.modalities.includes('audio')],
    ];
    return wanted.filter(([, , is]) => is).map(([param, needs]) => ({ param, needs }));
  }

  unread(): readonly string[] {
    return this.fieldsBeside(READ);
  }
}

/** One prompt; a list of several is refused, because a reply has one answer. */
function readPrompt(prompt: unknown): string {
  const [first, ...more] = (Array.isArray(prompt) ? prompt : [prompt]) as unknown[];
  if (typeof first === 'number' || Array.isArray(first))
    throw unsupported('prompt', 'this expert reads text, not the token ids of some model');
  if (more.length > 0) throw unsupported('prompt', 'it may hold one text per request at this expert');
  if (typeof first !== 'string') throw invalid('prompt', 'must be a text');
  return wellFormed(first);
}

function formatCapability(format: unknown): Capability {
  return isObject(format) && format.type === 'json_schema' ? 'json schema' : 'json';
}

function aboveOne(value: unknown): boolean {
  return value != null && value !== 1;
}
