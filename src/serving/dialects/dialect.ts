/**
 * What a dialect can do: read a request, write a typed reply as bytes of its own, judge and read its own bytes, and
 * write errors. One folder a dialect and one line in `index.ts`.
 */
import type { MemberPlace } from '../../core/json-measure.ts';
import type { Failure } from '../reply/failure.ts';
import type { AnswerSink, Reply, ReplyReader } from '../reply/reply.ts';
import type { RawLane } from '../reply/scanner.ts';
import type { Ask, RoutingFacts } from './ask.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A request's body and what is known of it. */
export interface JsonBody {
  readonly bytes: Buffer;
  /** Parsed; only what `keep` kept where `partial`. */
  readonly json: Json;
  readonly partial: boolean;
  /** The body with whole surrogate pairs only, every byte in its place, where that is known. */
  readonly withoutHalves?: Buffer;
  /** Where the body's top-level members stand, where that is known. */
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
  /** Where its clients send requests to. */
  readonly path: string;
  /** What the ids of its answers begin with. */
  readonly idPrefix: string;
  /**
   * Reads what routing needs; whatever else a body holds is the expert's to judge.
   * @throws RouterError `invalid_body`, naming the field at fault
   */
  facts(json: Json): RoutingFacts;
  /** Of a body with very many values, those that are still read when `facts` has been. */
  keep(json: Json): Json;
  ask(facts: RoutingFacts, body: JsonBody): Ask;
  /** A typed reply → bytes in the sink, streamed or whole as was asked. */
  writer(ask: Ask, sink: AnswerSink): Reply;
  /** The bytes of a streamed answer → a typed reply. */
  reader(reply: Reply): ReplyReader;
  error(failure: Failure): ErrorAnswer;
  /** An error inside a stream that has begun. */
  lateError(failure: Failure): Buffer;
  /** A sign of life while a stream waits. */
  readonly keepAlive: Buffer;
}

/** What it takes to read the answers of a server that speaks a dialect, whether or not clients may speak it too. */
export type NativeDialect<Id extends string = string> = Pick<Dialect<Id>, 'id' | 'refusal' | 'reader'>;
