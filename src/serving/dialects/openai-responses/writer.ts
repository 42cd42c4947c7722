/** A typed reply → a response of the Responses API, streamed or whole. */
import { splitAtCodePoint, wellFormed } from '../../../core/well-formed.ts';
import { brokenOff, type Failure } from '../../reply/failure.ts';
import type { AnswerSink, FinishReason, Reply, ReplyMeta, Source, Usage } from '../../reply/reply.ts';
import { customInput } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import type { ResponsesAsk } from './ask.ts';
import { incompleteFor, writeUsage } from './ending.ts';
import {
  annotation,
  type Call,
  callItem,
  type ItemStatus,
  itemId,
  type ResponseState,
  repeatedFields,
  responseBody,
  type Spoken,
  type Words,
  wordsItem,
  wordsPart,
} from './response.ts';
import type { ToolNames } from './tools.ts';

export function responsesWriter(ask: ResponsesAsk, sink: AnswerSink): Reply {
  return ask.stream ? new StreamedResponse(ask, sink) : new WholeResponse(ask, sink);
}

type OpenWords = { readonly [field in keyof Words]: Words[field] } & { text: string; sources: Source[] };
type OpenCall = { readonly type: 'call' } & { -readonly [field in keyof Call]: Call[field] };
type Open = OpenWords | OpenCall;

/** The items of an answer as they come: the one that is open, and those that have ended. */
class Items {
  readonly done: Json[] = [];
  readonly #names: ToolNames;
  readonly #meta: () => ReplyMeta;
  open: Open | null = null;

  constructor(names: ToolNames, meta: () => ReplyMeta) {
    this.#names = names;
    this.#meta = meta;
  }

  get index(): number {
    return this.done.length;
  }

  say(type: Spoken): OpenWords {
    const prefix = type === 'reasoning' ? 'rs' : 'msg';
    const open: OpenWords = { type, id: itemId(prefix, this.#meta(), this.index), text: '', sources: [] };
    this.open = open;
    return open;
  }

  call(callId: string, name: string): OpenCall {
    const tool = this.#names.tool(name);
    const id = itemId(tool.type === 'custom' ? 'ctc' : 'fc', this.#meta(), this.index);
    const call: OpenCall = { type: 'call', id, callId, tool, json: '' };
    this.open = call;
    return call;
  }

  /** Closes the open item. @returns it as it is shown at its end */
  close(status: ItemStatus): Json {
    const item = itemOf(this.open!, status);
    this.open = null;
    this.done.push(item);
    return item;
  }
}

function itemOf(open: Open, status: ItemStatus): Json {
  return open.type === 'call' ? callItem(open, status) : wordsItem(open, wordsPart(open), status);
}

class WholeResponse implements Reply {
  readonly #repeated: Json;
  readonly #sink: AnswerSink;
  readonly #items: Items;
  #meta: ReplyMeta = NO_META;

  constructor(ask: ResponsesAsk, sink: AnswerSink) {
    this.#repeated = repeatedFields(ask.json);
    this.#sink = sink;
    this.#items = new Items(ask.toolNames, () => this.#meta);
  }

  begin(meta: ReplyMeta): void {
    this.#meta = meta;
  }

  text(piece: string): boolean {
    return this.#say('message', piece);
  }

  thinking(piece: string): boolean {
    return this.#say('reasoning', piece);
  }

  refusal(piece: string): boolean {
    return this.#say('refusal', piece);
  }

  cite(source: Source): boolean {
    const { open } = this.#items;
    if (open?.type === 'message') open.sources.push(source);
    return true;
  }

  toolCall(id: string, name: string): boolean {
    this.#close('completed');
    this.#items.call(id, name);
    return true;
  }

  toolArguments(piece: string): boolean {
    const { open } = this.#items;
    if (open?.type === 'call') open.json += piece;
    return true;
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void {
    const short = incompleteFor(reason);
    this.#close(short === null ? 'completed' : 'incomplete');
    const state: ResponseState = {
      status: short === null ? 'completed' : 'incomplete',
      output: this.#items.done,
      usage: writeUsage(usage),
      incompleteFor: short,
      completedAt: this.#meta.created,
    };
    const body = Buffer.from(JSON.stringify(responseBody(this.#repeated, this.#meta, state)));
    this.#sink.head(200, { 'content-type': 'application/json', 'content-length': String(body.byteLength) });
    this.#sink.data(body);
    this.#sink.end({ usage, finishReason: reason });
  }

  fail(failure: Failure): void {
    this.#sink.fail(failure);
  }

  #say(type: Spoken, piece: string): boolean {
    if (piece === '') return true;
    if (this.#items.open?.type !== type) {
      this.#close('completed');
      this.#items.say(type);
    }
    const { open } = this.#items;
    if (open !== null && open.type !== 'call') open.text += piece;
    return true;
  }

  #close(status: ItemStatus): void {
    if (this.#items.open !== null) this.#items.close(status);
  }
}

class StreamedResponse implements Reply {
  readonly #repeated: Json;
  readonly #sink: AnswerSink;
  readonly #items: Items;
  #meta: ReplyMeta = NO_META;
  #begun = false;
  #sequence = 0;
  /** Half of a surrogate pair until the other half comes. */
  #held = '';
  /** Events that were not sent: those of one call become one write. */
  #unsent = '';
  /** Of the text that is open: what stands in each of its events between their number and the piece. */
  #place = '';

  constructor(ask: ResponsesAsk, sink: AnswerSink) {
    this.#repeated = repeatedFields(ask.json);
    this.#sink = sink;
    this.#items = new Items(ask.toolNames, () => this.#meta);
  }

  begin(meta: ReplyMeta): void {
    this.#meta = meta;
  }

  text(piece: string): boolean {
    return this.#say('message', piece);
  }

  thinking(piece: string): boolean {
    return this.#say('reasoning', piece);
  }

  refusal(piece: string): boolean {
    return this.#say('refusal', piece);
  }

  /** Of the text that is open: one that comes later has nothing to belong to. */
  cite(source: Source): boolean {
    const { open, index } = this.#items;
    if (open?.type !== 'message') return true;
    const annotation_index = open.sources.push(source) - 1;
    this.#add('response.output_text.annotation.added', {
      ...placeOf(open.id, index),
      annotation_index,
      annotation: annotation(source),
    });
    return this.#send();
  }

  toolCall(callId: string, name: string): boolean {
    this.#close('completed');
    this.#announce();
    const call = this.#items.call(callId, name);
    const item = callItem({ ...call, json: '' }, 'in_progress');
    this.#add('response.output_item.added', { output_index: this.#items.index, item });
    return this.#send();
  }

  /** What a custom tool gets is known when all of it has come. */
  toolArguments(piece: string): boolean {
    const { open, index } = this.#items;
    if (open?.type !== 'call') return true;
    open.json += piece;
    if (open.tool.type === 'custom' || piece === '') return true;
    this.#add('response.function_call_arguments.delta', {
      item_id: open.id,
      output_index: index,
      delta: piece,
    });
    return this.#send();
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void {
    const short = incompleteFor(reason);
    const status = short === null ? 'completed' : 'incomplete';
    this.#announce();
    this.#close(status);
    this.#addResponse(`response.${status}`, {
      status,
      output: this.#items.done,
      usage: writeUsage(usage),
      incompleteFor: short,
      completedAt: this.#meta.created,
    });
    this.#send();
    this.#sink.end({ usage, finishReason: reason });
  }

  /** What has begun ends as failed, for clients that wait for a response to end. */
  fail(failure: Failure): void {
    if (this.#begun) {
      const { code, message } = brokenOff(this.#meta.model, failure);
      const state = { status: 'failed', output: this.#items.done, usage: null, completedAt: null } as const;
      this.#addResponse('response.failed', {
        ...state,
        error: { code: 'server_error', message: `${code}: ${message}` },
      });
      this.#send();
    }
    this.#sink.fail(failure);
  }

  #say(type: Spoken, piece: string): boolean {
    if (piece === '') return true;
    if (this.#items.open?.type !== type) this.#open(type);
    const { whole, rest } = splitAtCodePoint(this.#held + piece);
    this.#held = rest;
    if (whole !== '') this.#addPiece(whole);
    return this.#send();
  }

  #open(type: Spoken): void {
    this.#close('completed');
    this.#announce();
    const open = this.#items.say(type);
    const { index } = this.#items;
    this.#place = `"item_id":${JSON.stringify(open.id)},"output_index":${index},"content_index":0`;
    const item = wordsItem(open, null, 'in_progress');
    this.#add('response.output_item.added', { output_index: index, item });
    this.#add('response.content_part.added', { ...placeOf(open.id, index), part: wordsPart(open) });
  }

  /** The one event that comes for each token: put together by hand. */
  #addPiece(text: string): void {
    const { open } = this.#items;
    if (open === null || open.type === 'call') return;
    const delta = wellFormed(text);
    open.text += delta;
    const { event, more } = WORDS[open.type];
    const type = `${event}.delta`;
    const data = `{"type":"${type}","sequence_number":${this.#sequence},${this.#place},"delta":${JSON.stringify(delta)}${more}}`;
    this.#sequence += 1;
    this.#unsent += `event: ${type}\ndata: ${data}\n\n`;
  }

  #close(status: ItemStatus): void {
    const { open, index } = this.#items;
    if (open === null) return;
    if (this.#held !== '') this.#addPiece(this.#held);
    this.#held = '';
    if (open.type === 'call') this.#closeCall(open);
    else this.#closeText(open);
    this.#add('response.output_item.done', { output_index: index, item: this.#items.close(status) });
  }

  #closeCall({ id, tool, json }: OpenCall): void {
    const place = { item_id: id, output_index: this.#items.index };
    if (tool.type === 'function') {
      this.#add('response.function_call_arguments.done', { ...place, name: tool.name, arguments: json });
      return;
    }
    const input = customInput(json);
    this.#add('response.custom_tool_call_input.delta', { ...place, delta: input });
    this.#add('response.custom_tool_call_input.done', { ...place, input });
  }

  #closeText(open: OpenWords): void {
    const place = placeOf(open.id, this.#items.index);
    const { event, said, done } = WORDS[open.type];
    this.#add(`${event}.done`, { ...place, [said]: open.text, ...done });
    this.#add('response.content_part.done', { ...place, part: wordsPart(open) });
  }

  /** The head waits for the first content, so that an earlier failure still gets its own status. */
  #announce(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#sink.head(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    const state = { status: 'in_progress', output: [], usage: null, completedAt: null } as const;
    this.#addResponse('response.created', state);
    this.#addResponse('response.in_progress', state);
  }

  #addResponse(type: string, state: ResponseState): void {
    this.#add(type, { response: responseBody(this.#repeated, this.#meta, state) });
  }

  #add(type: string, fields: Json): void {
    const event = { type, sequence_number: this.#sequence, ...fields };
    this.#sequence += 1;
    this.#unsent += `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  }

  /** @returns whether there is room for more */
  #send(): boolean {
    if (this.#unsent === '') return true;
    const bytes = Buffer.from(this.#unsent);
    this.#unsent = '';
    return this.#sink.data(bytes);
  }
}

/** The events of a part, the field that holds all of it at its end, and what else they have. */
const WORDS = {
  message: { event: 'response.output_text', said: 'text', more: ',"logprobs":[]', done: { logprobs: [] } },
  refusal: { event: 'response.refusal', said: 'refusal', more: '', done: {} },
  reasoning: { event: 'response.reasoning_text', said: 'text', more: '', done: {} },
} as const;

function placeOf(id: string, index: number): Json {
  return { item_id: id, output_index: index, content_index: 0 };
}

const NO_META: ReplyMeta = { id: '', created: 0, model: '' };
