/** The bytes of a chat or text completion → a typed reply. Reads the first choice; only one is requested. */
import type { FinishReason, Reply, ReplyReader, Usage } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { dataOf, EventBytes } from '../event-bytes.ts';
import { isObject, parseJson, textOrNull } from '../json.ts';
import { readFinishReason, readUsage } from './ending.ts';
import { errorUnder200 } from './errors.ts';

export class OpenAiReader implements ReplyReader {
  readonly #reply: Reply;
  readonly #waiting: Json[] = [];
  readonly #events = new EventBytes((event) => this.#event(event));
  #reason: FinishReason | 'unknown' | null = null;
  #usage: Usage | 'unknown' = 'unknown';
  #done = false;
  #call: unknown = null;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  *read(bytes: Buffer): Generator<boolean> {
    this.#events.push(bytes);
    for (const value of this.#waiting.splice(0)) yield this.#take(value);
  }

  finish(): boolean {
    this.#events.end();
    for (const value of this.#waiting.splice(0)) this.#take(value);
    if (this.#reason === null && !this.#done) return false;
    this.#reply.finish(this.#reason ?? 'unknown', this.#usage);
    return true;
  }

  #event(event: Buffer | null): void {
    const data = event && dataOf(event);
    if (data === null) return;
    if (data.trim() === '[DONE]') {
      this.#done = true;
      return;
    }
    const value = parseJson(data);
    const error = errorUnder200(value, data);
    if (error) throw error;
    if (value === undefined) throw new SyntaxError('an event is not JSON');
    if (isObject(value)) this.#waiting.push(value);
  }

  #take({ choices, usage }: Json): boolean {
    this.#usage = readUsage(usage) ?? this.#usage;
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    if (!isObject(choice)) return true;
    const reason = textOrNull(choice.finish_reason);
    if (reason !== null) this.#reason = readFinishReason(reason);
    if (isObject(choice.delta)) return this.#delta(choice.delta);
    const text = textOrNull(choice.text);
    return text === null || this.#reply.text(text);
  }

  #delta(delta: Json): boolean {
    const { thought, said } = saidIn(delta);
    const { tool_calls: calls } = delta;
    let room = thought === null || this.#reply.thinking(thought);
    if (said !== null) room = this.#reply.text(said) && room;
    for (const call of Array.isArray(calls) ? calls.filter(isObject) : [])
      room = this.#toolCall(call) && room;
    return room;
  }

  /** Only a call's first piece has its id and name; the others have its index. */
  #toolCall({ index, id, function: called }: Json): boolean {
    const { name, arguments: json } = (isObject(called) ? called : {}) as Json;
    let room = true;
    if (typeof name === 'string' && name !== '' && index !== this.#call) {
      this.#call = index;
      room = this.#reply.toolCall(textOrNull(id) ?? `call_${String(index)}`, name);
    }
    const piece = argumentsIn(json);
    return piece === null ? room : this.#reply.toolArguments(piece) && room;
  }
}

/**
 * The first choice of a whole chat or text completion. False if it is none.
 * @throws ToldFailure for an error
 */
export function readWhole(json: string, reply: Reply): boolean {
  const value = parseJson(json);
  const error = errorUnder200(value, json);
  if (error) throw error;
  const choice: unknown = isObject(value) && Array.isArray(value.choices) ? value.choices[0] : undefined;
  if (!isObject(choice)) return false;
  const message = isObject(choice.message) ? choice.message : { content: choice.text };
  const { tool_calls: calls } = message as Json;
  const { thought, said } = saidIn(message as Json);
  if (thought !== null) reply.thinking(thought);
  if (said !== null) reply.text(said);
  for (const [at, call] of (Array.isArray(calls) ? calls : []).entries()) tellCall(call, at, reply);
  const usage = isObject(value) ? readUsage(value.usage) : null;
  reply.finish(readFinishReason(choice.finish_reason), usage ?? 'unknown');
  return true;
}

function tellCall(call: unknown, at: number, reply: Reply): void {
  const { id, function: called } = (isObject(call) ? call : {}) as Json;
  const { name, arguments: json } = (isObject(called) ? called : {}) as Json;
  const named = textOrNull(name);
  if (named === null) return;
  reply.toolCall(textOrNull(id) ?? `call_${at}`, named);
  reply.toolArguments(argumentsIn(json) ?? '');
}

interface Said {
  /** Null for none. */
  readonly thought: string | null;
  readonly said: string | null;
}

/** A message's words, or those of a piece of one. Some servers (Mistral's) give parts, thinking among them; a refusal is words too. */
function saidIn({ content, reasoning_content, reasoning, refusal }: Json): Said {
  const thought = textOrNull(reasoning_content) ?? textOrNull(reasoning);
  const text = textOrNull(content);
  const refused = textOrNull(refusal);
  if (!Array.isArray(content)) return { thought, said: refused === null ? text : (text ?? '') + refused };
  const parts = content.filter(isObject);
  const own = parts.map((part) => textOrNull(part.text) ?? textOrNull(part.refusal) ?? '').join('');
  const thinking = parts.map(({ thinking: inner }) => wordsOf(inner)).join('');
  return { thought: thinking || thought, said: own + (refused ?? '') || null };
}

/** A text, or the texts of parts. */
function wordsOf(value: unknown): string {
  if (!Array.isArray(value)) return textOrNull(value) ?? '';
  return value.map((part: unknown) => (isObject(part) ? (textOrNull(part.text) ?? '') : '')).join('');
}

/** JSON as text; some servers give the object itself. */
function argumentsIn(value: unknown): string | null {
  return isObject(value) ? JSON.stringify(value) : textOrNull(value);
}
