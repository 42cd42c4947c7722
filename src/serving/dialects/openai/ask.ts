/** A request for a chat completion or a completion. */
import { wellFormed } from '../../../core/well-formed.ts';
import type { RoutableText } from '../../../deciding/text/routable.ts';
import type {
  AnswerFormat,
  Ask,
  Capability,
  Demand,
  Parameters,
  Prompt,
  RoutingFacts,
  Tools,
} from '../ask.ts';
import type { Dialect, Json, JsonBody } from '../dialect.ts';
import { invalid, isObject, readNumber, readStops, unsupported } from '../json.ts';
import type { Endpoint } from './bodies.ts';
import { readMessages } from './messages.ts';
import { readFormat, readTools } from './tools.ts';

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
};

type OpenAiDialect = Dialect<'openai-chat' | 'openai-completions'>;

export class OpenAiAsk implements Ask {
  readonly dialect: OpenAiDialect;
  readonly endpoint: Endpoint;
  readonly model: string;
  readonly stream: boolean;
  readonly turns: readonly RoutableText[];
  readonly affinityKey: string | null;
  readonly answerLimit: number | null;
  readonly body: Buffer;
  readonly json: Json;
  readonly partial: boolean;
  readonly received: JsonBody;

  constructor(dialect: OpenAiDialect, endpoint: Endpoint, facts: RoutingFacts, body: JsonBody) {
    this.dialect = dialect;
    this.endpoint = endpoint;
    this.model = facts.model;
    this.stream = facts.stream;
    this.turns = facts.turns;
    this.affinityKey = facts.affinityKey;
    this.answerLimit = facts.answerLimit;
    this.body = body.bytes;
    this.json = body.json;
    this.partial = body.partial;
    this.received = body;
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
    };
  }

  fieldOf(parameter: keyof Parameters): string {
    const newer = parameter === 'maxTokens' && this.endpoint === 'chat';
    return newer && this.json.max_completion_tokens != null ? 'max_completion_tokens' : FIELDS[parameter];
  }

  tools(): Tools {
    return this.endpoint === 'chat' ? readTools(this.json) : { list: [], choice: null, parallel: true };
  }

  format(): AnswerFormat {
    return readFormat(this.endpoint === 'chat' ? this.json.response_format : null);
  }

  demands(): readonly Demand[] {
    const { json } = this;
    const { tool_choice: choice, response_format: format } = json;
    const wanted: readonly [param: string, needs: Capability, wanted: boolean][] = [
      ['n', 'several answers', aboveOne(json.n)],
      ['best_of', 'several answers', aboveOne(json.best_of)],
      [
        'tool_choice',
        'a chosen tool',
        choice === 'required' || (typeof choice === 'object' && choice !== null),
      ],
      ['response_format', formatCapability(format), formatWanted(format)],
      ['logprobs', 'token probabilities', json.logprobs != null && json.logprobs !== false],
      ['echo', 'echo', json.echo === true],
      ['suffix', 'insertion', typeof json.suffix === 'string' && json.suffix !== ''],
      ['logit_bias', 'token biases', isObject(json.logit_bias) && Object.keys(json.logit_bias).length > 0],
      ['audio', 'audio', json.audio != null],
    ];
    return wanted.filter(([, , is]) => is).map(([param, needs]) => ({ param, needs }));
  }
}

/** One prompt; a list of several is refused, because a reply has one answer. */
function readPrompt(prompt: unknown): string {
  const [first, ...more] = (Array.isArray(prompt) ? prompt : [prompt]) as unknown[];
  if (more.length > 0) throw unsupported('prompt', 'it may hold one text per request at this expert');
  if (typeof first !== 'string') throw invalid('prompt', 'must be a text');
  return wellFormed(first);
}

function formatWanted(format: unknown): boolean {
  return format != null && (format as { type?: unknown }).type !== 'text';
}

function formatCapability(format: unknown): Capability {
  return isObject(format) && format.type === 'json_schema' ? 'json schema' : 'json';
}

function aboveOne(value: unknown): boolean {
  return value != null && value !== 1;
}
