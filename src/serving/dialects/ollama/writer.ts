/**
 * A typed reply → Ollama's lines, or its one object. Times are as they passed here; counts that the expert did not tell
 * are left out.
 */
import { RouterError } from '../../../core/errors.ts';
import { splitAtCodePoint, wellFormed } from '../../../core/well-formed.ts';
import type { Failure } from '../../reply/failure.ts';
import type { AnswerSink, FinishReason, Reply, ReplyMeta, Usage } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject, parseJson } from '../json.ts';
import type { OllamaAsk } from './ask.ts';
import { writeReason, writeTime, writeUsage } from './ending.ts';

export function ollamaWriter(ask: OllamaAsk, sink: AnswerSink): Reply {
  return ask.stream ? new StreamedAnswer(ask, sink) : new WholeAnswer(ask, sink);
}

interface Said {
  readonly content: string;
  readonly thinking?: string;
  readonly tool_calls?: readonly Json[];
}

/** What both forms have in common: the calls, which are told when they are whole, and the ending. */
abstract class Answer implements Reply {
  readonly #chat: boolean;
  readonly #thinks: boolean;
  protected readonly sink: AnswerSink;
  #meta: ReplyMeta = { id: '', created: 0, model: '' };
  #call: { readonly id: string; readonly name: string; json: string } | null = null;
  #calls = 0;
  readonly #begun = performance.now();
  #first: number | null = null;
  #failed = false;

  constructor({ endpoint, wantsThinking }: OllamaAsk, sink: AnswerSink) {
    this.#chat = endpoint === 'chat';
    this.#thinks = wantsThinking;
    this.sink = sink;
  }

  begin(meta: ReplyMeta): void {
    this.#meta = meta;
  }

  text(piece: string): boolean {
    return this.#started() && this.say('content', piece);
  }

  thinking(piece: string): boolean {
    return this.#started() && (!this.#thinks || this.say('thinking', piece));
  }

  toolCall(id: string, name: string): boolean {
    this.#started();
    this.#call = { id, name, json: '' };
    return true;
  }

  toolArguments(piece: string): boolean {
    if (this.#call) this.#call.json += piece;
    return true;
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void {
    // One that was cut off within a call leaves the call out.
    this.#tell(reason === 'length');
    if (this.#failed) return;
    const [now, first] = [performance.now(), this.#first];
    this.close({
      done: true,
      done_reason: writeReason(reason),
      total_duration: nanoseconds(now - this.#begun),
      ...(first === null ? {} : { prompt_eval_duration: nanoseconds(first - this.#begun) }),
      ...(first === null ? {} : { eval_duration: nanoseconds(now - first) }),
      ...writeUsage(usage),
    });
    this.sink.end({ usage, finishReason: reason });
  }

  fail(failure: Failure): void {
    this.#failed = true;
    this.sink.fail(failure);
  }

  protected abstract say(field: 'content' | 'thinking', piece: string): boolean;
  protected abstract call(call: Json): void;
  protected abstract close(ending: Json): void;

  protected object({ content, ...rest }: Said, ending: Json): Json {
    const { model, created } = this.#meta;
    return {
      model,
      created_at: writeTime(created),
      ...(this.#chat ? { message: { role: 'assistant', content, ...rest } } : { response: content, ...rest }),
      ...ending,
    };
  }

  /** The call before this is whole. */
  #started(): boolean {
    this.#first ??= performance.now();
    this.#tell(false);
    return true;
  }

  #tell(cut: boolean): void {
    const call = this.#call;
    this.#call = null;
    if (call === null || this.#failed) return;
    const input = call.json === '' ? {} : parseJson(call.json);
    if (isObject(input)) {
      const { id, name } = call;
      this.call({ id, function: { index: this.#calls, name, arguments: input } });
      this.#calls += 1;
    } else if (!cut) this.fail(noObject(call.name));
  }
}

class WholeAnswer extends Answer {
  readonly #said = { content: '', thinking: '' };
  readonly #calls: Json[] = [];

  protected say(field: 'content' | 'thinking', piece: string): boolean {
    this.#said[field] += piece;
    return true;
  }

  protected call(call: Json): void {
    this.#calls.push(call);
  }

  protected close(ending: Json): void {
    const { content, thinking } = this.#said;
    const said = {
      content: wellFormed(content),
      ...(thinking === '' ? {} : { thinking: wellFormed(thinking) }),
      ...(this.#calls.length === 0 ? {} : { tool_calls: this.#calls }),
    };
    const body = Buffer.from(JSON.stringify(this.object(said, ending)));
    this.sink.head(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(body.byteLength),
    });
    this.sink.data(body);
  }
}

class StreamedAnswer extends Answer {
  #begunLines = false;
  /** Half of a surrogate pair until the other half comes, and its field. */
  #held = '';
  #field: 'content' | 'thinking' = 'content';

  protected say(field: 'content' | 'thinking', piece: string): boolean {
    if (field !== this.#field) this.#flush();
    this.#field = field;
    const { whole, rest } = splitAtCodePoint(this.#held + piece);
    this.#held = rest;
    return whole === '' || this.#sendText(whole);
  }

  protected call(call: Json): void {
    this.#flush();
    this.#send({ content: '', tool_calls: [call] }, UNFINISHED);
  }

  protected close(ending: Json): void {
    this.#flush();
    this.#send({ content: '' }, ending);
  }

  #flush(): void {
    const rest = this.#held;
    this.#held = '';
    if (rest !== '') this.#sendText(rest);
  }

  #sendText(text: string): boolean {
    const said = wellFormed(text);
    return this.#send(
      this.#field === 'content' ? { content: said } : { content: '', thinking: said },
      UNFINISHED,
    );
  }

  /** The head waits for the first content, so that an earlier failure still gets its own status. */
  #send(said: Said, ending: Json): boolean {
    if (!this.#begunLines) this.sink.head(200, { 'content-type': 'application/x-ndjson' });
    this.#begunLines = true;
    return this.sink.data(Buffer.from(`${JSON.stringify(this.object(said, ending))}\n`));
  }
}

const UNFINISHED = { done: false };

function nanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6);
}

function noObject(name: string): RouterError {
  return new RouterError(
    'expert_failed',
    `The expert called the tool '${name}' with arguments that are not a JSON object; this API cannot express that.`,
  );
}
