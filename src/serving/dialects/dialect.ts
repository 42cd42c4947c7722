/**
 * A dialect: it reads requests, writes typed replies, reads and judges answers, and writes errors, all in its own
 * format. README.md says how to add one.
 */
import type { MemberPlace } from '../../core/json-measure.ts';
import type { AnswerSink, Reply, ReplyReader } from '../reply/reply.ts';
import type { AnswerForm, Ask, RoutingFacts, Wanted } from './ask.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A request's body, parsed. */
export interface JsonBody {
  readonly bytes: Buffer;
  /** Where `partial`, only what `keep` returned. */
  readonly json: Json;
  readonly partial: boolean;
  /** What the whole of it wants; there where `partial`, unless it could not be read. */
  readonly wanted?: Wanted;
  /** What `prepare` made of the bytes, if that has been done. */
  readonly prepared?: Buffer;
  /** Offsets of the top-level members, if known. */
  readonly members?: readonly MemberPlace[];
}

/** One path of an API. What several of its paths share, their dialects share. */
export interface Dialect<Id extends string = string> extends AnswerForm {
  readonly id: Id;
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
}

/** A dialect whose answers are text, which experts of any other kind can give too. */
export interface TextDialect<Id extends string = string> extends Dialect<Id> {
  writer(ask: Ask, sink: AnswerSink): Reply;
  /** The bytes of a streamed answer → a typed reply. */
  reader(reply: Reply): ReplyReader;
}

/** What reads the answers of a server in its own dialect, whether or not clients may use that dialect too. */
export type NativeDialect<Id extends string = string> = Pick<
  TextDialect<Id>,
  'id' | 'refusal' | 'reader' | 'whole'
>;
