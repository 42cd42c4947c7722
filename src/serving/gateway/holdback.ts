/**
 * What of a reply may be kept from the client for a moment, so that another expert can still take over: the opening
 * of a stream until its first token, and a whole answer of moderate size until its end. It judges bytes and keeps them;
 * what follows from the judgement is for others.
 */
import { JsonEnd } from './json-end.ts';

/** Enough for any opening; a stream that has sent more is under way. */
const MOST_OPENING = 4 * 1024;
/** Answers beyond this are passed on as they come. */
const MOST_WHOLE = 64 * 1024;

const EVENT = /^data:/gm;
/** An event that says who speaks and nothing else, as the first of a stream does. */
const ROLE_ONLY = /"delta"\s*:\s*\{\s*"role"\s*:\s*"assistant"\s*(?:,\s*"\w+"\s*:\s*(?:""|null)\s*)*\}/;
const EVENT_END = /\r?\n\r?\n$/;
const ERROR_EVENT = /^data:\s*\{\s*"error"\s*:\s*[{"]/m;
const ERROR_BODY = /^\s*\{\s*"error"\s*:\s*[{"]/;

/** `wait`: keep it back; `pass`: it is an answer; else what is wrong with it. */
export type Judgement = 'wait' | 'pass' | { readonly wrong: string };

/** A stream of events, a body of JSON, or bytes in an encoding that is not undone here. */
export type Form = 'stream' | 'whole' | 'encoded';

export class Holdback {
  readonly #form: Form;
  readonly #json = new JsonEnd();
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #passed = false;

  constructor(form: Form) {
    this.#form = form;
  }

  /** Keeps a piece, and judges all that came so far. */
  push(chunk: Uint8Array): Judgement {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.watch(chunk);
    if (this.#form === 'encoded') return 'pass';
    if (this.#bytes > (this.#form === 'stream' ? MOST_OPENING : MOST_WHOLE)) return 'pass';
    return this.#form === 'stream' ? judgeOpening(this.#text()) : 'wait';
  }

  /** Takes note of a piece that is not kept, since the answer is being passed on. */
  watch(chunk: Uint8Array): void {
    if (this.#form === 'whole') this.#json.push(chunk);
  }

  /** Judges what came when nothing more will come, kept or not. */
  end(): Judgement {
    if (this.#bytes === 0) return { wrong: 'gave an empty answer' };
    if (this.#form !== 'whole') return 'pass';
    if (!this.#passed && ERROR_BODY.test(this.#text()))
      return { wrong: 'answered with an error under a status of success' };
    return this.#json.whole ? 'pass' : { wrong: 'gave an answer that is not whole' };
  }

  /** All that was kept, once. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#passed = true;
    return chunks;
  }

  #text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }
}

/** Comments, and the one event that only names the speaker, are not yet an answer. */
function judgeOpening(text: string): Judgement {
  if (ERROR_EVENT.test(text)) return { wrong: 'answered with an error event' };
  const events = text.match(EVENT)?.length ?? 0;
  const opening = events === 0 || (events === 1 && (!EVENT_END.test(text) || ROLE_ONLY.test(text)));
  return opening ? 'wait' : 'pass';
}
