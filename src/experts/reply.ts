/**
 * An engine's events (a piece of text, the end, the count of tokens) → the bytes of an OpenAI reply in a sink, for
 * both endpoints, streamed or whole. It knows nothing of engines, and invents nothing that they did not say.
 */
import type { FinishReason, Usage } from '../core/openai.ts';
import { splitAtCodePoint, wellFormed } from '../core/well-formed.ts';
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
  /** An unknown reason is null on the wire, an unknown usage absent. */
  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void;
}

export function openReply(request: ExpertRequest, sink: ReplySink, facts: ReplyFacts): Reply {
  return request.json.stream === true ? streamed(request, sink, facts) : whole(request, sink, facts);
}

/** The id prefixes OpenAI uses, for `ReplyFacts.id`. */
export function idPrefix(request: ExpertRequest): string {
  return request.endpoint === 'chat' ? 'chatcmpl' : 'cmpl';
}

function whole(request: ExpertRequest, sink: ReplySink, facts: ReplyFacts): Reply {
  const pieces: string[] = [];
  return {
    text(piece) {
      pieces.push(piece);
      return true;
    },
    finish(reason, usage) {
      const text = wellFormed(pieces.join(''));
      const chat = request.endpoint === 'chat';
      const answer = chat ? { message: { role: 'assistant', content: text, refusal: null } } : { text };
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

function streamed(request: ExpertRequest, sink: ReplySink, facts: ReplyFacts): Reply {
  const chat = request.endpoint === 'chat';
  const withUsage = wantsUsage(request);
  const frame = common(facts, chat ? 'chat.completion.chunk' : 'text_completion');
  let begun = false;
  let held = '';

  const send = (choices: readonly unknown[], extra: object = withUsage ? { usage: null } : {}): boolean =>
    sink.data(event({ ...frame, choices, ...extra }));
  const choice = (text: string | null, reason: FinishReason | null): unknown => {
    const part = chat ? { delta: text === null ? {} : { content: text } } : { text: text ?? '' };
    return { index: 0, ...part, logprobs: null, finish_reason: reason };
  };
  // Held back until there is something to say, so that an early failure still gets its own status.
  const begin = (): boolean => {
    if (begun) return true;
    begun = true;
    sink.head(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    if (!chat) return true;
    const delta = { role: 'assistant', content: '' };
    return send([{ index: 0, delta, logprobs: null, finish_reason: null }]);
  };

  return {
    text(piece) {
      const { whole, rest } = splitAtCodePoint(held + piece);
      held = rest;
      if (whole === '') return true;
      const first = begin();
      return send([choice(wellFormed(whole), null)]) && first;
    },
    finish(reason, usage) {
      begin();
      if (held) send([choice(wellFormed(held), null)]);
      send([choice(null, reasonOnWire(reason))]);
      if (withUsage && usage !== 'unknown') send([], { usage });
      sink.data(DONE);
      sink.end({ usage, finishReason: reason });
    },
  };
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
