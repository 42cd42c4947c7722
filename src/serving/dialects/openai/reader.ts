/** The bytes of a chat or text completion → a typed reply. Reads the first choice; only one is requested. */
import { RouterError } from '../../../core/errors.ts';
import type { FinishReason, Reply, ReplyReader, Usage } from '../../reply/reply.ts';
import { customArguments } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import { dataOf, EventBytes } from '../event-bytes.ts';
import { isObject, parseJson, textOrNull } from '../json.ts';
import { readFinishReason, readUsage } from './ending.ts';
import { errorUnder200 } from './errors.ts';
import { type CallPiece, type Said, saidIn } from './said.ts';

export class OpenAiReader implements ReplyReader {
  readonly #waiting: Json[] = [];
  readonly #events = new EventBytes((event) => this.#event(event));
  readonly #teller: Teller;
  #reason: FinishReason | 'unknown' | null = null;
  #stopText: string | undefined;
  #usage: Usage | 'unknown' = 'unknown';
  #done = false;

  constructor(reply: Reply) {
    this.#teller = new Teller(reply);
  }

  *read(bytes: Buffer): Generator<boolean> {
    this.#events.push(bytes);
    for (const value of this.#waiting.splice(0)) yield this.#take(value);
  }

  finish(): boolean {
    this.#events.end();
    for (const value of this.#waiting.splice(0)) this.#take(value);
    if (this.#reason === null && !this.#done) return false;
    this.#teller.finish(this.#reason ?? 'unknown', this.#usage, this.#stopText);
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
    const choice = firstOf(choices);
    if (choice === null) return true;
    const reason = textOrNull(choice.finish_reason);
    if (reason !== null) this.#reason = readFinishReason(reason);
    this.#stopText = stopTextIn(choice) ?? this.#stopText;
    return this.#teller.tell(saidIn(isObject(choice.delta) ? choice.delta : { content: choice.text }));
  }
}

/**
 * The first choice of a whole chat or text completion. False if it is none.
 * @throws ToldFailure for an error; RouterError for an answer that only says what no typed reply can
 */
export function readWhole(json: string, reply: Reply): boolean {
  const value = parseJson(json);
  const error = errorUnder200(value, json);
  if (error) throw error;
  const choice = isObject(value) ? firstOf(value.choices) : null;
  if (choice === null) return false;
  const teller = new Teller(reply);
  teller.tell(saidIn(isObject(choice.message) ? choice.message : { content: choice.text }));
  const usage = isObject(value) ? readUsage(value.usage) : null;
  teller.finish(readFinishReason(choice.finish_reason), usage ?? 'unknown', stopTextIn(choice));
  return true;
}

/** One that was not asked for, beside the first, is not the answer. */
function firstOf(choices: unknown): Json | null {
  if (!Array.isArray(choices)) return null;
  return choices.find((choice): choice is Json => isObject(choice) && !choice.index) ?? null;
}

/** vLLM and SGLang tell it; a number is a token's id. */
function stopTextIn({ stop_reason, matched_stop }: Json): string | undefined {
  return textOrNull(stop_reason) ?? textOrNull(matched_stop) ?? undefined;
}

/** Tells a reply what messages say, whole or piece by piece. */
class Teller {
  readonly #reply: Reply;
  /** The call whose pieces come. */
  #call: Pick<CallPiece, 'index' | 'custom'> | null = null;
  #calls = 0;
  #said = false;
  #sounds = false;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  /** @returns whether there is room for more */
  tell({ thought, text, refused, calls, sources, sounds }: Said): boolean {
    const reply = this.#reply;
    this.#sounds ||= sounds;
    let room = thought === null || reply.thinking(thought);
    if (text !== null) room = this.#words(text) && room;
    if (refused !== null) room = (reply.refusal?.(refused) ?? this.#words(refused)) && room;
    for (const source of sources) room = (reply.cite?.(source) ?? true) && room;
    for (const call of calls) room = this.#tellCall(call) && room;
    this.#said ||= refused !== null || calls.length > 0;
    return room;
  }

  /** @throws RouterError where nothing but sound came */
  finish(...end: Parameters<Reply['finish']>): void {
    if (this.#sounds && !this.#said)
      throw new RouterError(
        'expert_failed',
        'The expert answered with sound and no words; only a chat completion that is passed on can hold that.',
      );
    this.#endCall();
    this.#reply.finish(...end);
  }

  #words(text: string): boolean {
    this.#said = true;
    return this.#reply.text(text);
  }

  #tellCall({ index, id, name, given, custom }: CallPiece): boolean {
    let room = true;
    if (name !== null && index !== this.#call?.index) {
      this.#endCall();
      room = this.#reply.toolCall(id ?? `call_${this.#calls}`, name);
      this.#call = { index, custom };
      this.#calls += 1;
      if (custom) this.#reply.toolArguments(BEFORE);
    }
    if (given === null || this.#call === null) return room;
    return this.#reply.toolArguments(this.#call.custom ? escaped(given) : given) && room;
  }

  #endCall(): void {
    if (this.#call?.custom) this.#reply.toolArguments(AFTER);
    this.#call = null;
  }
}

/** What stands around the input of a custom tool in the arguments of the function for it. */
const [BEFORE, AFTER] = customArguments('\0').split('\\u0000') as [string, string];

/** As a part of a string of JSON, wherever it is cut. */
function escaped(piece: string): string {
  return JSON.stringify(piece).slice(1, -1);
}
