/** The lines of an answer of Ollama's → a typed reply. */
import type { Reply, ReplyReader } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject, parseJson, textOrNull } from '../json.ts';
import { errorUnder200 } from '../openai/errors.ts';
import { readReason, readUsage } from './ending.ts';
import { JsonLines } from './json-lines.ts';

export class OllamaReader implements ReplyReader {
  readonly #reply: Reply;
  readonly #waiting: Json[] = [];
  readonly #lines = new JsonLines((line) => this.#line(line));
  #last: Json | null = null;
  #calls = 0;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  *read(bytes: Buffer): Generator<boolean> {
    this.#lines.push(bytes);
    for (const value of this.#waiting.splice(0)) yield this.#take(value);
  }

  finish(): boolean {
    this.#lines.end();
    for (const value of this.#waiting.splice(0)) this.#take(value);
    if (this.#last === null) return false;
    const reason = readReason(this.#last.done_reason);
    this.#reply.finish(this.#calls > 0 && reason !== 'length' ? 'tool calls' : reason, readUsage(this.#last));
    return true;
  }

  #line(line: string | null): void {
    if (line === null || line.trim() === '') return;
    const value = parseJson(line);
    const error = errorUnder200(value, line);
    if (error) throw error;
    if (value === undefined) throw new SyntaxError('a line is not JSON');
    if (isObject(value)) this.#waiting.push(value);
  }

  #take(value: Json): boolean {
    if (value.done === true) this.#last = value;
    const said = isObject(value.message)
      ? value.message
      : { content: value.response, thinking: value.thinking, tool_calls: undefined };
    const [thought, text] = [textOrNull(said.thinking), textOrNull(said.content)];
    let room = thought === null || this.#reply.thinking(thought);
    if (text !== null) room = this.#reply.text(text) && room;
    for (const call of Array.isArray(said.tool_calls) ? said.tool_calls : []) room = this.#call(call) && room;
    return room;
  }

  #call(call: unknown): boolean {
    const { id, function: called } = (isObject(call) ? call : {}) as Json;
    const { name, arguments: input = {} } = (isObject(called) ? called : {}) as Json;
    const named = textOrNull(name);
    if (named === null) return true;
    this.#calls += 1;
    this.#reply.toolCall(textOrNull(id) ?? `call_${this.#calls - 1}`, named);
    return this.#reply.toolArguments(JSON.stringify(input));
  }
}
