/**
 * What of a reply may be kept from the client for a moment, so that another expert can still take over: the opening
 * of a stream until its first token, and a whole answer of moderate size until its end. It judges bytes and keeps them;
 * what follows from the judgement is for others.
 */

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
const OBJECT_END = /\}\s*$/;

/** `wait`: keep it back; `pass`: it is an answer; else what is wrong with it. */
export type Judgement = 'wait' | 'pass' | { readonly wrong: string };

export class Holdback {
  readonly #stream: boolean;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(stream: boolean) {
    this.#stream = stream;
  }

  /** Keeps a piece, and judges all that came so far. */
  push(chunk: Uint8Array): Judgement {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > (this.#stream ? MOST_OPENING : MOST_WHOLE)) return 'pass';
    return this.#stream ? judgeOpening(this.#text()) : 'wait';
  }

  /** Judges what is there when nothing more will come. */
  end(): Judgement {
    if (this.#bytes === 0) return { wrong: 'gave an empty answer' };
    return this.#stream ? 'pass' : judgeWhole(this.#text());
  }

  /** All that was kept, once. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
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

function judgeWhole(text: string): Judgement {
  if (ERROR_BODY.test(text)) return { wrong: 'answered with an error under a status of success' };
  return OBJECT_END.test(text) ? 'pass' : { wrong: 'gave an answer that is not whole' };
}
