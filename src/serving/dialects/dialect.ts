/**
 * A dialect: it reads requests, writes typed replies, reads and judges streams, and writes errors, all in its own
 * format. Each is a folder, and a line in `index.ts`.
 */
import type { MemberPlace } from '../../core/json-measure.ts';
import type { Failure } from '../reply/failure.ts';
import type { AnswerSink, Reply, ReplyReader } from '../reply/reply.ts';
import type { RawLane } from '../reply/scanner.ts';
import type { Ask, RoutingFacts } from './ask.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A request's body, parsed. */
export interface JsonBody {
  readonly bytes: Buffer;
  /** Where `partial`, only what `keep` returned. */
  readonly json: Json;
  readonly partial: boolean;
  /** The same bytes with U+FFFD for each lone surrogate escape, if that has been computed. */
  readonly withoutHalves?: Buffer;
  /** Offsets of the top-level members, if known. */
  readonly members?: readonly MemberPlace[];
}

/** An error as a whole answer. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Dialect<Id extends string = string> extends RawLane {
  /** Experts name it in `speaks`. */
  readonly id: Id;
  /** The path of its requests. */
  readonly path: string;
  /** The prefix of its answers' ids. */
  readonly idPrefix: string;
  /**
   * Reads what routing needs and checks nothing else: the rest is for the expert to check.
   * @throws RouterError `invalid_body`, naming the invalid field
   */
  facts(json: Json): RoutingFacts;
  /** What is still needed after `facts` of a body with too many values to keep. */
  keep(json: Json): Json;
  ask(facts: RoutingFacts, body: JsonBody): Ask;
  /** A typed reply → bytes in the sink, streamed or whole as requested. */
  writer(ask: Ask, sink: AnswerSink): Reply;
  /** The bytes of a streamed answer → a typed reply. */
  reader(reply: Reply): ReplyReader;
  error(failure: Failure): ErrorAnswer;
  /** An error inside a stream that has begun. */
  lateError(failure: Failure): Buffer;
  /** Sent while a stream is queued, so that proxies keep the connection. */
  readonly keepAlive: Buffer;
}

/** What reads the answers of a server in its own dialect, whether or not clients may use that dialect too. */
export type NativeDialect<Id extends string = string> = Pick<Dialect<Id>, 'id' | 'refusal' | 'reader'>;
