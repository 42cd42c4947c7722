/** A request of Ollama's for a chat's next message, or for the continuation of one prompt. */
import { wellFormed } from '../../../core/well-formed.ts';
import type {
  AnswerFormat,
  Capability,
  Demand,
  Message,
  Parameters,
  Part,
  Prompt,
  RoutingFacts,
  Tools,
} from '../ask.ts';
import type { Dialect, Json, JsonBody } from '../dialect.ts';
import { invalid, isObject, readNumber, readStops, textOrNull } from '../json.ts';
import { readTools } from '../openai/tools.ts';
import { ReadAsk, thinks } from '../read-ask.ts';
import type { Shape } from '../shape.ts';
import { imagesIn } from './images.ts';
import { readMessages } from './messages.ts';
import { CHAT_SHAPE, GENERATE_SHAPE } from './shape.ts';

/** Names of parameters, each a field of `options` but for the last. */
const FIELDS: Readonly<Record<keyof Parameters, string>> = {
  temperature: 'options.temperature',
  topP: 'options.top_p',
  topK: 'options.top_k',
  seed: 'options.seed',
  maxTokens: 'options.num_predict',
  repetitionPenalty: 'options.repeat_penalty',
  frequencyPenalty: 'options.frequency_penalty',
  presencePenalty: 'options.presence_penalty',
  stop: 'options.stop',
  effort: 'think',
};

/** Read, or of no weight to a server that loads no models on request. */
const READ = new Set([
  ...['model', 'messages', 'prompt', 'system', 'images', 'stream', 'options', 'format', 'tools', 'think'],
  ...['suffix', 'raw', 'keep_alive', 'logprobs', 'top_logprobs'],
]);

export class OllamaAsk extends ReadAsk {
  readonly endpoint: 'chat' | 'generate';

  constructor(dialect: Dialect, endpoint: 'chat' | 'generate', facts: RoutingFacts, body: JsonBody) {
    super(dialect, facts, body);
    this.endpoint = endpoint;
  }

  protected get shape(): Shape {
    return this.endpoint === 'chat' ? CHAT_SHAPE : GENERATE_SHAPE;
  }

  protected get thinkingField(): string | null {
    return this.json.think === true || thinks(this.json.think) ? 'think' : null;
  }

  /** Whether the client reads thinking: unless it says no, as Ollama has it. */
  get wantsThinking(): boolean {
    return this.json.think !== false;
  }

  prompt(): Prompt {
    const { json } = this;
    if (this.endpoint === 'chat')
      return { kind: 'conversation', at: 'messages', messages: readMessages(json.messages) };
    if (typeof json.prompt !== 'string') throw invalid('prompt', 'must be a text');
    const text = wellFormed(json.prompt);
    if (json.raw === true) return { kind: 'text', at: 'prompt', text };
    const user: readonly Part[] = [{ type: 'text', text }, ...imagesIn(json.images, 'images')];
    return {
      kind: 'conversation',
      at: 'prompt',
      messages: [...systemOf(json.system), { role: 'user', parts: user, at: 'prompt' }],
    };
  }

  parameters(): Parameters {
    const json = this.#options();
    const limit = readNumber(json, FIELDS.maxTokens, -2, Number.MAX_SAFE_INTEGER, true);
    const penalty = readNumber(json, FIELDS.repetitionPenalty, 0.01, 2);
    return {
      temperature: readNumber(json, FIELDS.temperature, 0, 2),
      topP: readNumber(json, FIELDS.topP, 0, 1),
      topK: readNumber(json, FIELDS.topK, 0, 1_000_000, true),
      seed: readNumber(json, FIELDS.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true),
      // 0 and below mean no limit.
      maxTokens: limit !== undefined && limit > 0 ? limit : undefined,
      repetitionPenalty: penalty,
      frequencyPenalty: readNumber(json, FIELDS.frequencyPenalty, -2, 2) ?? 0,
      presencePenalty: readNumber(json, FIELDS.presencePenalty, -2, 2) ?? 0,
      stop: readStops(json, FIELDS.stop),
      effort: effortOf(this.json.think),
    };
  }

  fieldOf(parameter: keyof Parameters): string {
    return FIELDS[parameter];
  }

  tools(): Tools {
    const { tools } = this.json;
    return readTools(this.endpoint === 'chat' && tools !== undefined ? { tools } : {});
  }

  format(): AnswerFormat {
    const { format } = this.json;
    if (format === undefined || format === null || format === '') return { type: 'text' };
    if (format === 'json') return { type: 'json' };
    if (isObject(format)) return { type: 'schema', schema: format };
    throw invalid('format', "must be 'json' or a JSON schema");
  }

  protected readDemands(): readonly Demand[] {
    const { logprobs, suffix } = this.json;
    const format = this.format().type;
    const wanted: readonly [param: string, needs: Capability, wanted: boolean][] = [
      ['format', 'json', format === 'json'],
      ['format', 'json schema', format === 'schema'],
      ['logprobs', 'token probabilities', logprobs === true],
      ['suffix', 'insertion', typeof suffix === 'string' && suffix !== ''],
    ];
    return wanted.filter(([, , is]) => is).map(([param, needs]) => ({ param, needs }));
  }

  unread(): readonly string[] {
    const known = Object.values(FIELDS);
    const options = Object.keys(this.#options()).filter((field) => !known.includes(field));
    return [...this.fieldsBeside(READ), ...options];
  }

  /** The options by their whole names, so that errors name them. */
  #options(): Json {
    const { options } = this.json;
    if (!isObject(options)) return {};
    return Object.fromEntries(Object.entries(options).map(([name, value]) => [`options.${name}`, value]));
  }
}

function systemOf(system: unknown): readonly Message[] {
  const text = textOrNull(system);
  if (text === null) return [];
  return [{ role: 'system', at: 'system', parts: [{ type: 'text', text: wellFormed(text) }] }];
}

function effortOf(think: unknown): string | undefined {
  if (think === undefined || think === null || think === true) return undefined;
  if (think === false) return 'none';
  if (typeof think === 'string' && think !== '') return think;
  throw invalid('think', 'must be true, false or how much: low, medium, high');
}
