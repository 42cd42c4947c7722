/**
 * A dialect: it reads requests, writes typed replies, reads and judges answers, and writes errors, all in its own
 * format. README.md says how to add one.
 */
import type { MemberPlace } from '../../core/json-measure.ts';
import type { Failure, ToldFailure } from '../reply/failure.ts';
import type { AnswerSink, Reply, ReplyReader } from '../reply/reply.ts';
import type { RawLane } from '../reply/scanner.ts';
import type { Ask, RoutingFacts } from './ask.ts';
import type { ServerNeeds } from './forward.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A request's body, parsed. */
export interface JsonBody {
  readonly bytes: Buffer;
  /** Where `partial`, only what `keep` returned. */
  readonly json: Json;
  readonly partial: boolean;
  /** What `prepare` made of the bytes, if that has been done. */
  readonly prepared?: Buffer;
  /** Offsets of the top-level members, if known. */
  readonly members?: readonly MemberPlace[];
}

/** An error as a whole answer. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One path of an API. What several of its paths share, their dialects share. */
export interface Dialect<Id extends string = string> extends RawLane {
  /** Experts name it in `speaks`. */
  readonly id: Id;
  /** Where clients send its requests; the first is also where experts are asked, `/v1` being their base. */
  readonly paths: readonly [string, ...string[]];
  /** The prefix of its answers' ids. */
  readonly idPrefix: string;
  /** Whether a body that came without its path, as in a dry run, looks like one of this dialect. */
  claims(json: Json): boolean;
  /**
   * Reads what routing needs and checks nothing else: the rest is for the expert to check.
   * @throws RouterError `invalid_body`, naming the invalid field
   */
  facts(json: Json): RoutingFacts;
  /** What is still needed after `facts` of a body with too many values to keep. */
  keep(json: Json): Json;
  /** The part of `forward` that is slow for a large body, done beside the event loop; the bytes themselves for none. */
  prepare(bytes: Buffer): Buffer;
  ask(facts: RoutingFacts, body: JsonBody): Ask;
  /** The body of one of its asks for a server that speaks it too. */
  forward(ask: Ask, server: ServerNeeds): Buffer;
  /** The body to try again with after such a server has refused it; null where nothing can be left out. */
  amended?(ask: Ask, server: ServerNeeds, refusal: ToldFailure): Buffer | null;
  /**
   * A typed reply → bytes in the sink, streamed or whole as requested. Null where an answer is no text (vectors, scores,
   * counts): then only experts that speak the dialect are asked.
   */
  readonly writer: ((ask: Ask, sink: AnswerSink) => Reply) | null;
  /** @param requestId of ours, for APIs whose errors bear one */
  error(failure: Failure, requestId?: string): ErrorAnswer;
}

/** A dialect whose answers are text, which experts of any other kind can give too. */
export interface TextDialect<Id extends string = string> extends Dialect<Id> {
  writer(ask: Ask, sink: AnswerSink): Reply;
  /** The bytes of a streamed answer → a typed reply. */
  reader(reply: Reply): ReplyReader;
}

/** What reads the answers of a server in its own dialect, whether or not clients may use that dialect too. */
export type NativeDialect<Id extends string = string> = Pick<TextDialect<Id>, 'id' | 'refusal' | 'reader'>;
