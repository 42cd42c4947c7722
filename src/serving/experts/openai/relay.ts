/**
 * One exchange with a server that speaks OpenAI's API: the wire's calls on one side, the sink's on the other. Bytes
 * pass as they come; only errors are put into OpenAI's form, and a stream's end is judged before it is told as one.
 */
import { RouterError } from '../../../core/errors.ts';
import { responseHeadersForClient } from '../../../core/headers.ts';
import { isEventStream } from '../../../core/sse.ts';
import type { ResponseHandler, WireError } from '../../../http/client.ts';
import type { ResponseHead } from '../../../http/response-parser.ts';
import type { Outcome, ReplySink } from '../expert.ts';
import { errorInLastEvent, errorUnder200, openAiErrorBody } from './error-body.ts';
import { openingOf } from './opening.ts';
import { ReplyTail } from './reply-tail.ts';

const UNKNOWN: Outcome = { usage: 'unknown', finishReason: 'unknown' };
const MOST_ERROR_BYTES = 64 * 1024;
/** What has not shown itself to be an error by now, be it all white space, is passed on as an answer. */
const MOST_OPENING_BYTES = 4 * 1024;
const DONE = Buffer.from('data: [DONE]\n\n');
const BREAK = Buffer.from('\n\n');
const SILENT: ReplySink = { head: () => {}, data: () => true, end: () => {}, fail: () => {} };

/** `opening`: what may yet be an error is held; `hidden-error`: it is one, under 200; `opaque`: encoded, not read. */
type State = 'opening' | 'answer' | 'error' | 'hidden-error' | 'opaque';

export class Relay implements ResponseHandler {
  readonly #expert: string;
  #sink: ReplySink;
  readonly #statuses: Readonly<Record<number, number>>;
  readonly #asFailure: (error: WireError) => RouterError;
  readonly #tail = new ReplyTail();
  #state: State = 'opening';
  #head: ResponseHead = { status: 0, headers: {} };
  #stream = false;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** @param statuses those the server uses in a sense of its own, and what they are to be instead */
  constructor(
    expert: string,
    sink: ReplySink,
    statuses: Readonly<Record<number, number>>,
    asFailure: (error: WireError) => RouterError,
  ) {
    this.#expert = expert;
    this.#sink = sink;
    this.#statuses = statuses;
    this.#asFailure = asFailure;
  }

  /** Nothing more is said, not even what a call under way still had to say. */
  cancel(): void {
    this.#sink = SILENT;
  }

  head({ status, headers }: ResponseHead): void {
    this.#head = { status: this.#statuses[status] ?? status, headers: responseHeadersForClient(headers) };
    this.#stream = isEventStream(headers['content-type']);
    const encoded = headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity';
    if (encoded || (status >= 300 && status < 400)) this.#state = 'opaque';
    else if (status >= 400) this.#state = 'error';
    if (this.#state === 'opaque') this.#sink.head(this.#head.status, this.#head.headers);
    if (this.#state === 'error') this.#errorHead();
  }

  data(payload: Buffer): boolean {
    if (this.#state === 'answer' || this.#state === 'opaque') {
      this.#tail.push(payload);
      return this.#sink.data(payload);
    }
    // Of an error the beginning is enough; of what may yet be an answer no byte may be missing.
    if (this.#state === 'opening' || this.#heldBytes < MOST_ERROR_BYTES) this.#held.push(payload);
    this.#heldBytes += payload.length;
    return this.#state !== 'opening' || this.#open();
  }

  end(): void {
    switch (this.#state) {
      case 'error':
        this.#sink.data(openAiErrorBody(this.#head.status, this.#takeHeld()));
        this.#sink.end(UNKNOWN);
        break;
      case 'hidden-error':
        this.#hiddenError();
        break;
      case 'opening':
        this.#answer();
        this.#end();
        break;
      default:
        this.#end();
    }
  }

  fail(error: WireError): void {
    // Some servers hang up after the error that they wrote into a stream.
    if (this.#state === 'hidden-error') this.#hiddenError();
    else this.#sink.fail(this.#asFailure(error));
  }

  #open(): boolean {
    const held = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    const opening = openingOf(held, this.#stream);
    if (opening === 'error') this.#state = 'hidden-error';
    const answer = opening === 'answer' || (opening === 'short' && this.#heldBytes > MOST_OPENING_BYTES);
    return answer ? this.#answer() : true;
  }

  #answer(): boolean {
    this.#state = 'answer';
    this.#sink.head(this.#head.status, this.#head.headers);
    const held = this.#takeHeld();
    if (held.length === 0) return true;
    this.#tail.push(held);
    return this.#sink.data(held);
  }

  #end(): void {
    if (!this.#stream || this.#state === 'opaque' || this.#tail.isEmpty) {
      this.#sink.end(this.#tail.outcome());
      return;
    }
    const end = this.#tail.end();
    if (end === 'finished') this.#sink.data(this.#tail.endsInBlankLine ? DONE : Buffer.concat([BREAK, DONE]));
    if (end !== 'broken') this.#sink.end(this.#tail.outcome());
    else this.#sink.fail(this.#broken());
  }

  #broken(): RouterError {
    const told = errorInLastEvent(this.#tail.text());
    const why = told ?? 'the stream ended without a finish reason';
    return new RouterError('expert_cut_stream', `Expert '${this.#expert}' broke off its answer: ${why}.`);
  }

  /** The server said 200 and meant something else; nothing has been passed on yet. */
  #hiddenError(): void {
    const { status, body } = errorUnder200(this.#takeHeld());
    this.#head = { ...this.#head, status: this.#statuses[status] ?? status };
    this.#errorHead();
    this.#sink.data(body);
    this.#sink.end(UNKNOWN);
  }

  #errorHead(): void {
    const { 'content-length': _length, ...headers } = this.#head.headers;
    this.#sink.head(this.#head.status, { ...headers, 'content-type': 'application/json' });
  }

  #takeHeld(): Buffer {
    const held = Buffer.concat(this.#held);
    this.#held = [];
    return held;
  }
}
