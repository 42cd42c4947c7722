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

  /**
   * Reads a whole answer instead of a stream. False if it is none.
   * @throws ToldFailure for an error
   */
  static whole(body: Buffer, reply: Reply): boolean {
    const json = body.toString('utf8');
    const value = parseJson(json);
    const error = errorUnder200(value, json);
    if (error) throw error;
    const choice: unknown = isObject(value) && Array.isArray(value.choices) ? value.choices[0] : undefined;
    if (!isObject(value) || !isObject(choice)) return false;
    const reader = new OpenAiReader(reply);
    reader.#take({ ...value, choices: [{ ...choice, delta: asDelta(choice.message) }] });
    reader.#done = true;
    return reader.finish();
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

  #delta({ content, reasoning_content, reasoning, tool_calls: calls }: Json): boolean {
    const thought = textOrNull(reasoning_content) ?? textOrNull(reasoning);
    const said = textOrNull(content);
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
    const piece = textOrNull(json);
    return piece === null ? room : this.#reply.toolArguments(piece) && room;
  }
}

/** A whole message's calls have no index. */
function asDelta(message: unknown): unknown {
  if (!isObject(message) || !Array.isArray(message.tool_calls)) return message;
  const calls = message.tool_calls.filter(isObject).map((call, index) => ({ ...call, index }));
  return { ...message, tool_calls: calls };
}

/** The first choice of a whole chat or text completion. */
export function readWhole(json: string, reply: Reply): boolean {
  const value = parseJson(json);
  const error = errorUnder200(value, json);
  if (error) throw error;
  const choice: unknown = isObject(value) && Array.isArray(value.choices) ? value.choices[0] : undefined;
  if (!isObject(choice)) return false;
  const message = isObject(choice.message) ? choice.message : { content: choice.text };
  const { content, reasoning_content, reasoning, tool_calls: calls } = message as Json;
  const thought = textOrNull(reasoning_content) ?? textOrNull(reasoning);
  const said = textOrNull(content);
  if (thought !== null) reply.thinking(thought);
  if (said !== null) reply.text(said);
  if (Array.isArray(calls)) writeCalls(calls, reply);
  const usage = isObject(value) ? readUsage(value.usage) : null;
  reply.finish(readFinishReason(choice.finish_reason), usage ?? 'unknown');
  return true;
}

function writeCalls(calls: readonly unknown[], reply: Reply): void {
  for (const [at, call] of calls.entries()) {
    const { id, function: called } = (isObject(call) ? call : {}) as Json;
    const { name, arguments: given } = (isObject(called) ? called : {}) as Json;
    if (textOrNull(name) === null) continue;
    reply.toolCall(textOrNull(id) ?? `call_${at}`, String(name));
    reply.toolArguments(textOrNull(given) ?? '');
  }
}
