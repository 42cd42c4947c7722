/**
 * Relays one answer in the client's own dialect, byte for byte. It holds the bytes back until the dialect's scanner
 * reports content.
 */
import { RouterError } from '../../core/errors.ts';
import { responseHeadersForClient } from '../../core/headers.ts';
import type { ResponseHandler, WireError } from '../../http/client.ts';
import type { ResponseHead } from '../../http/response-parser.ts';
import { EmptyAnswer } from './empty-answer.ts';
import { brokenOff, type Failure, ToldFailure } from './failure.ts';
import { type AnswerSink, type Outcome, UNKNOWN_OUTCOME } from './reply.ts';
import { isStreamOf, type RawLane, type Scanner } from './scanner.ts';

const MOST_ERROR_BYTES = 64 * 1024;
/** Of a whole answer that is held to become a stream; a longer one is passed on as it is. */
const MOST_WHOLE_BYTES = 8 * 1024 * 1024;
/** How long a server may go on after the end that its dialect has told, before it is left. */
const LINGER_MS = 1_000;
const SILENT: AnswerSink = { head: () => {}, data: () => true, end: () => {}, fail: () => {} };

/** A whole answer, written as the stream that was asked for. */
export interface StreamedBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly outcome: Outcome;
}

export interface RawRelayOptions {
  readonly expert: string;
  readonly lane: RawLane;
  /** Whether the client asked for a stream. */
  readonly stream: boolean;
  /** Statuses that this engine uses differently → the usual status. */
  readonly statuses: Readonly<Record<number, number>>;
  asFailure(error: WireError): RouterError;
  /** A JSON body that came although a stream was asked for, as one; null to pass it on as it is. */
  asStream?(body: Buffer): StreamedBody | null;
}

/** `opening`: bytes are held until content begins; `opaque`: in an unknown content coding, relayed without a look. */
type State = 'opening' | 'answer' | 'error' | 'opaque' | 'over';

export class RawRelay implements ResponseHandler {
  readonly #options: RawRelayOptions;
  #sink: AnswerSink;
  #state: State = 'opening';
  #head: ResponseHead = { status: 0, headers: {} };
  #scanner: Scanner | null = null;
  /** Whether the answer is held until its end, since it is to become a stream. */
  #whole = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Runs from the end that the dialect tells until the server's own. */
  #lingering: NodeJS.Timeout | null = null;
  /** Whether the exchange is over. */
  #settled = false;
  readonly #leave: () => void;

  /** @param leave ends the exchange with a server that does not end it */
  constructor(options: RawRelayOptions, sink: AnswerSink, leave: () => void = () => {}) {
    this.#options = options;
    this.#sink = sink;
    this.#leave = leave;
  }

  /** Silences the sink, even within a call of its own. */
  cancel(): void {
    this.#settle();
    this.#sink = SILENT;
  }

  head(head: ResponseHead): void {
    this.#head = head;
    const { status, headers } = head;
    if (status >= 400) {
      this.#state = 'error';
      return;
    }
    const stream = this.#isStream(headers);
    const wrong = wrongHead(head) ?? (stream && !this.#options.stream ? UNASKED_STREAM : null);
    if (wrong !== null) this.#refuse(wrong);
    else if ((headers['content-encoding'] ?? 'identity') !== 'identity') this.#state = 'opaque';
    else {
      this.#scanner = this.#options.lane.scanner(stream);
      this.#whole = this.#options.stream && this.#options.asStream !== undefined && isWholeJson(head);
    }
  }

  data(payload: Buffer): boolean {
    switch (this.#state) {
      case 'answer':
        this.#scanner?.push(payload);
        if (this.#scanner?.done) this.#linger();
        return this.#sink.data(payload);
      case 'opaque':
        this.#begin();
        return this.#sink.data(payload);
      case 'error':
        this.#hold(payload);
        if (this.#heldBytes > MOST_ERROR_BYTES) this.#told();
        return true;
      case 'opening':
        this.#hold(payload);
        return this.#open(payload);
      case 'over':
        return true;
    }
  }

  end(): void {
    this.#settle();
    if (this.#state === 'over') return;
    if (this.#state === 'error') this.#told();
    else if (this.#state === 'opaque') this.#refuse('gave an empty answer');
    else if (this.#scanner) this.#end(this.#scanner);
    else this.#sink.end(UNKNOWN_OUTCOME);
  }

  fail(error: WireError): void {
    this.#settle();
    if (this.#state === 'over') return;
    // An error or a whole answer that has arrived stays valid when the connection is lost.
    if (this.#state === 'error') this.#told();
    else if ((this.#state === 'answer' || this.#whole) && this.#scanner?.done) this.#end(this.#scanner);
    else this.#sink.fail(this.#options.asFailure(error));
  }

  #linger(): void {
    if (this.#settled || !this.#options.stream) return;
    this.#lingering ??= setTimeout(() => {
      this.#end(this.#scanner!);
      this.#state = 'over';
      this.#leave();
    }, LINGER_MS);
  }

  #settle(): void {
    this.#settled = true;
    if (this.#lingering) clearTimeout(this.#lingering);
  }

  /** By the content type; if that is unclear, as requested. */
  #isStream({ 'content-type': type }: Readonly<Record<string, string>>): boolean {
    const { lane, stream } = this.#options;
    return isStreamOf(lane.streaming, type) || (stream && (type === undefined || !/json/i.test(type)));
  }

  #hold(payload: Buffer): void {
    this.#held.push(payload);
    this.#heldBytes += payload.length;
  }

  #open(payload: Buffer): boolean {
    const opening = this.#scanner!.push(payload);
    if (opening === 'silence') return true;
    if (opening === 'content') return this.#waits() || this.#answer();
    this.#fail(this.#named(opening));
    return true;
  }

  /** Whether content is held until the end. A stream under a wrong name, or a body too long, is not. */
  #waits(): boolean {
    if (this.#whole)
      this.#whole = this.#heldBytes <= MOST_WHOLE_BYTES && this.#held.find(hasInk)?.find(isInk) === BRACE;
    return this.#whole;
  }

  #begin(): void {
    if (this.#state === 'answer') return;
    this.#state = 'answer';
    this.#sink.head(this.#head.status, responseHeadersForClient(this.#head.headers));
  }

  /** Passes on what was held, and from now on every byte. @returns whether the sink has room */
  #answer(): boolean {
    this.#begin();
    const held = this.#held;
    this.#held = [];
    let room = true;
    for (const payload of held) room = this.#sink.data(payload) && room;
    if (this.#scanner?.done) this.#linger();
    return room;
  }

  #end(scanner: Scanner): void {
    const ending = scanner.end();
    if (ending instanceof ToldFailure) this.#fail(this.#named(ending));
    else if ('empty' in ending) this.#empty(ending.empty);
    else if (!('missing' in ending)) {
      if (this.#whole && this.#converted()) return;
      this.#answer();
      this.#sink.end(ending);
    } else if (this.#state === 'answer') {
      const { expert } = this.#options;
      this.#fail(
        new RouterError('expert_cut_stream', `Expert '${expert}' broke off its answer: ${ending.missing}.`),
      );
    } else this.#refuse(`gave no whole answer: ${ending.missing}`);
  }

  /** Writes the whole answer as a stream. @returns false if it cannot be one */
  #converted(): boolean {
    const streamed = this.#options.asStream?.(Buffer.concat(this.#held)) ?? null;
    if (streamed === null) return false;
    this.#held = [];
    this.#state = 'over';
    const { 'content-length': _length, ...headers } = responseHeadersForClient(this.#head.headers);
    this.#sink.head(this.#head.status, { ...headers, ...streamed.headers });
    this.#sink.data(streamed.bytes);
    this.#sink.end(streamed.outcome);
    return true;
  }

  #empty(outcome: Outcome): void {
    if (this.#state === 'answer') this.#sink.end(outcome);
    else
      this.#fail(
        new EmptyAnswer(this.#options.expert, (sink) => {
          sink.head(this.#head.status, responseHeadersForClient(this.#head.headers));
          for (const payload of this.#held) sink.data(payload);
          sink.end(outcome);
        }),
      );
  }

  /** An error under status 200, with the usual status in place of the engine's. */
  #named(failure: ToldFailure): ToldFailure {
    const status = this.#options.statuses[failure.status] ?? failure.status;
    return status === failure.status ? failure : failure.as(status);
  }

  #told(): void {
    const { status, headers } = this.#head;
    const body = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    this.#fail(this.#options.lane.refusal(this.#options.statuses[status] ?? status, headers, body));
  }

  #refuse(wrong: string): void {
    this.#fail(new RouterError('expert_failed', `Expert '${this.#options.expert}' ${wrong}.`));
  }

  #fail(failure: Failure): void {
    const shown = this.#state === 'answer';
    this.#state = 'over';
    this.#sink.fail(shown ? brokenOff(this.#options.expert, failure) : failure);
  }
}

const UNASKED_STREAM = 'answered with a stream that was not asked for';

/** What is wrong with a head that no answer can follow, or null. */
function wrongHead({ status, headers }: ResponseHead): string | null {
  if (status < 200 || status === 204 || status === 205 || status >= 300)
    return `answered with status ${status}, which holds no answer`;
  if (headers['content-type']?.toLowerCase().startsWith('text/html'))
    return 'answered with a web page: its url does not lead to an API';
  return null;
}

const BRACE = 0x7b;
const isInk = (byte: number): boolean => byte > 0x20;
const hasInk = (bytes: Buffer): boolean => bytes.some(isInk);

function isWholeJson({ status, headers }: ResponseHead): boolean {
  return status === 200 && /^application\/json *(;|$)/i.test(headers['content-type'] ?? '');
}
