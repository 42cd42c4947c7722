/** The bytes of an emulated server's answers: heads, chunks of a stream, whole bodies, errors. */
import type { Endpoint } from '../../serving/dialects/openai/bodies.ts';
import { writeFinishReason, writeUsage } from '../../serving/dialects/openai/ending.ts';
import type { EmulatedCall } from '../../serving/experts/emulated/conduct.ts';
import type { FinishReason, Usage } from '../../serving/reply/reply.ts';

export interface IdentifiedCall extends EmulatedCall {
  readonly id: string;
}

export interface AnswerFacts {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly endpoint: Endpoint;
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export function head(status: number, headers: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? 'Status'}\r\n${lines.join('')}\r\n`;
}

/** A piece of a body in chunked transfer encoding. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export const LAST_CHUNK = '0\r\n\r\n';
export const DONE_EVENT = 'data: [DONE]\n\n';

export function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** Makes the events of one stream; their common part is serialised once. */
export class StreamFrames {
  readonly #facts: AnswerFacts;
  readonly #includeUsage: boolean;
  readonly #before: string;
  readonly #after: string;

  constructor(facts: AnswerFacts, includeUsage: boolean) {
    this.#facts = facts;
    this.#includeUsage = includeUsage;
    const mark = '\u0001';
    const [before, after] = this.#event([this.#choice(mark, null)]).split(JSON.stringify(mark));
    this.#before = before!;
    this.#after = after!;
  }

  token(text: string): string {
    return this.#before + JSON.stringify(text) + this.#after;
  }

  /** The beginning of a call, and each piece of its arguments. */
  call(index: number, id: string, name: string): string {
    return this.#calling({ index, id, type: 'function', function: { name, arguments: '' } });
  }

  callArguments(index: number, piece: string): string {
    return this.#calling({ index, function: { arguments: piece } });
  }

  /** The chunk before the first token, which names the role in chat; completions have none. */
  opening(): string {
    if (this.#facts.endpoint !== 'chat') return '';
    const delta = { role: 'assistant', content: '' };
    return this.#event([{ index: 0, delta, logprobs: null, finish_reason: null }]);
  }

  finish(reason: FinishReason): string {
    return this.#event([this.#choice(null, reason)]);
  }

  usage(usage: Usage): string {
    return event({ ...common(this.#facts, true), choices: [], usage: writeUsage(usage) });
  }

  #calling(call: object): string {
    return this.#event([{ index: 0, delta: { tool_calls: [call] }, logprobs: null, finish_reason: null }]);
  }

  #choice(text: string | null, reason: FinishReason | null): object {
    const chat = this.#facts.endpoint === 'chat';
    const part = chat ? { delta: text === null ? {} : { content: text } } : { text: text ?? '' };
    return { index: 0, ...part, logprobs: null, finish_reason: reason && writeFinishReason(reason) };
  }

  #event(choices: readonly object[]): string {
    return event({ ...common(this.#facts, true), choices, ...(this.#includeUsage ? { usage: null } : {}) });
  }
}

export function wholeAnswer(
  facts: AnswerFacts,
  text: string,
  reason: FinishReason,
  usage: Usage | null,
  calls: readonly IdentifiedCall[] = [],
): string {
  const chat = facts.endpoint === 'chat';
  const called = calls.map(({ id, name, json }) => ({
    id,
    type: 'function',
    function: { name, arguments: json },
  }));
  const said = called.length === 0 ? { content: text } : { content: null, tool_calls: called };
  const answer = chat ? { message: { role: 'assistant', ...said, refusal: null } } : { text };
  return JSON.stringify({
    ...common(facts, false),
    choices: [{ index: 0, ...answer, logprobs: null, finish_reason: writeFinishReason(reason) }],
    ...(usage ? { usage: writeUsage(usage) } : {}),
  });
}

export function errorBody(message: string, type: string, code: string, param: string | null = null): string {
  return JSON.stringify({ error: { message, type, param, code } });
}

/** A complete answer with a JSON body. */
export function jsonAnswer(
  status: number,
  body: string,
  more: Readonly<Record<string, string | number>> = {},
): string {
  const length = Buffer.byteLength(body);
  return head(status, { 'content-type': 'application/json', 'content-length': length, ...more }) + body;
}

function common({ id, created, model, endpoint }: AnswerFacts, streamed: boolean): object {
  const chat = streamed ? 'chat.completion.chunk' : 'chat.completion';
  return { id, object: endpoint === 'chat' ? chat : 'text_completion', created, model };
}
