/**
 * An engine's events (a piece of text, the end, the count of tokens) → the bytes of an OpenAI reply in a sink, for
 * both endpoints, streamed or whole. It knows nothing of engines, and invents nothing that they did not say.
 */
import type { FinishReason, Usage } from '../../core/openai.ts';
import { splitAtCodePoint, wellFormed } from '../../core/well-formed.ts';
import type { ExpertRequest, ReplySink } from './expert.ts';

/** What stands in every reply besides its text. */
export interface ReplyFacts {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly model: string;
}

export interface Reply {
  /** A piece of the answer. False: the reader is slow, write no more until it has caught up. */
  text(piece: string): boolean;
  /** The next tool call begins. */
  toolCall(id: string, name: string): boolean;
  /** More of the arguments of the last tool call: JSON as text, cut anywhere. */
  toolArguments(piece: string): boolean;
  /** An unknown reason is null on the wire, an unknown usage absent. */
  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void;
  /** Whether any of it has left, so that a failure can no longer have a status of its own. */
  begun(): boolean;
  /** Instead of an answer, before any of it: an error with its own status, such as a server behind has told. */
  refuse(status: number, headers: Readonly<Record<string, string>>, error: WireErrorBody): void;
}

/** OpenAI's error object. */
export interface WireErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function openReply(request: ExpertRequest, sink: ReplySink, facts: ReplyFacts): Reply {
  return request.json.stream === true ? new StreamedReply(request, sink, facts) : whole(request, sink, facts);
}

/** The id prefixes OpenAI uses, for `ReplyFacts.id`. */
export function idPrefix(request: ExpertRequest): string {
  return request.endpoint === 'chat' ? 'chatcmpl' : 'cmpl';
}

function whole(request: ExpertRequest, sink: ReplySink, facts: ReplyFacts): Reply {
  const pieces: string[] = [];
  const calls: { id: string; name: string; json: string }[] = [];
  return {
    text(piece) {
      pieces.push(piece);
      return true;
    },
    toolCall(id, name) {
      calls.push({ id, name, json: '' });
      return true;
    },
    toolArguments(piece) {
      calls.at(-1)!.json += piece;
      return true;
    },
    begun: () => false,
    refuse: (status, headers, error) => refuse(sink, status, headers, error),
    finish(reason, usage) {
      const text = wellFormed(pieces.join(''));
      const chat = request.endpoint === 'chat';
      const said = calls.length === 0 ? { content: text } : { content: text || null, ...toolCalls(calls) };
      const answer = chat ? { message: { role: 'assistant', ...said, refusal: null } } : { text };
      const body = bytes({
        ...common(facts, chat ? 'chat.completion' : 'text_completion'),
        choices: [{ index: 0, ...answer, logprobs: null, finish_reason: reasonOnWire(reason) }],
        ...(usage === 'unknown' ? {} : { usage }),
      });
      sink.head(200, { 'content-type': 'application/json', 'content-length': String(body.byteLength) });
      sink.data(body);
      sink.end({ usage, finishReason: reason });
    },
  };
}

class StreamedReply implements Reply {
  readonly #sink: ReplySink;
  readonly #chat: boolean;
  readonly #withUsage: boolean;
  readonly #frame: object;
  #begun = false;
  /** Half of a surrogate pair, whose other half may come with the next piece. */
  #held = '';
  #calls = 0;

  constructor(request: ExpertRequest, sink: ReplySink, facts: ReplyFacts) {
    this.#sink = sink;
    this.#chat = request.endpoint === 'chat';
    this.#withUsage = wantsUsage(request);
    this.#frame = common(facts, this.#chat ? 'chat.completion.chunk' : 'text_completion');
  }

  text(piece: string): boolean {
    const { whole, rest } = splitAtCodePoint(this.#held + piece);
    this.#held = rest;
    if (whole === '') return true;
    const first = this.#begin();
    return this.#sendText(whole) && first;
  }

  toolCall(id: string, name: string): boolean {
    this.#calls += 1;
    return this.#sendCall({ id, type: 'function', function: { name, arguments: '' } });
  }

  toolArguments(piece: string): boolean {
    return this.#sendCall({ function: { arguments: piece } });
  }

  begun(): boolean {
    return this.#begun;
  }

  refuse(status: number, headers: Readonly<Record<string, string>>, error: WireErrorBody): void {
    refuse(this.#sink, status, headers, error);
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void {
    this.#begin();
    this.#flush();
    this.#send([choice(this.#chat ? { delta: {} } : { text: '' }, reasonOnWire(reason))]);
    if (this.#withUsage && usage !== 'unknown') this.#send([], { usage });
    this.#sink.data(DONE);
    this.#sink.end({ usage, finishReason: reason });
  }

  /** Held back until there is something to say, so that an early failure still gets its own status. */
  #begin(): boolean {
    if (this.#begun) return true;
    this.#begun = true;
    this.#sink.head(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    return !this.#chat || this.#send([choice({ delta: { role: 'assistant', content: '' } })]);
  }

  #sendText(text: string): boolean {
    const said = wellFormed(text);
    return this.#send([choice(this.#chat ? { delta: { content: said } } : { text: said })]);
  }

  #sendCall(part: object): boolean {
    const first = this.#begin();
    this.#flush();
    return this.#send([choice({ delta: { tool_calls: [{ index: this.#calls - 1, ...part }] } })]) && first;
  }

  #flush(): void {
    const rest = this.#held;
    this.#held = '';
    if (rest) this.#sendText(rest);
  }

  #send(choices: readonly unknown[], extra: object = this.#withUsage ? { usage: null } : {}): boolean {
    return this.#sink.data(event({ ...this.#frame, choices, ...extra }));
  }
}

function choice(part: object, reason: FinishReason | null = null): unknown {
  return { index: 0, ...part, logprobs: null, finish_reason: reason };
}

function toolCalls(calls: readonly { id: string; name: string; json: string }[]) {
  return {
    tool_calls: calls.map(({ id, name, json }) => ({
      id,
      type: 'function',
      function: { name, arguments: json },
    })),
  };
}

function refuse(
  sink: ReplySink,
  status: number,
  headers: Readonly<Record<string, string>>,
  error: WireErrorBody,
): void {
  const body = bytes(error);
  const own = { 'content-type': 'application/json', 'content-length': String(body.byteLength) };
  sink.head(status, { ...headers, ...own });
  sink.data(body);
  sink.end({ usage: 'unknown', finishReason: 'unknown' });
}

const DONE = Buffer.from('data: [DONE]\n\n');

function wantsUsage(request: ExpertRequest): boolean {
  const options = request.json.stream_options as { include_usage?: unknown } | null | undefined;
  return options?.include_usage === true;
}

function reasonOnWire(reason: FinishReason | 'unknown'): FinishReason | null {
  return reason === 'unknown' ? null : reason;
}

function common(facts: ReplyFacts, object: string) {
  return { id: facts.id, object, created: facts.created, model: facts.model };
}

function bytes(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function event(value: object): Uint8Array {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
}
