/** What an expert says, in no dialect: the events of a typed reply, and where an answer goes as bytes. */
import type { FinishReason, Usage } from '../../core/openai.ts';
import type { Failure } from './failure.ts';

/** What stands in every answer besides what it says. */
export interface ReplyMeta {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly model: string;
}

/**
 * Calls come in the order `begin (text | thinking | toolCall toolArguments*)* (finish | fail)`; `fail` may also come
 * first. False: the reader is slow; write no more until it has caught up.
 */
export interface Reply {
  begin(meta: ReplyMeta): void;
  /** A piece of the answer, cut anywhere between two UTF-16 units. */
  text(piece: string): boolean;
  /** A piece of what the model thinks before or between its answers. */
  thinking(piece: string): boolean;
  /** The next tool call begins. */
  toolCall(id: string, name: string): boolean;
  /** More of the arguments of the last tool call: JSON as text, cut anywhere. */
  toolArguments(piece: string): boolean;
  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void;
  fail(failure: Failure): void;
}

/** A streamed answer in some dialect, told to a typed reply as its bytes come. */
export interface ReplyReader {
  /**
   * The next bytes, an event at a time; yields after each whether the reply has room for more.
   * @throws ToldFailure for an error; SyntaxError for data that is not JSON
   */
  read(bytes: Buffer): Iterable<boolean>;
  /** Nothing more will come: ends the reply; false where the answer was never said to be whole. */
  finish(): boolean;
}

/** How a reply ended: what the expert said of it, never what we guess. */
export interface Outcome {
  readonly usage: Usage | 'unknown';
  readonly finishReason: FinishReason | 'unknown';
}

/**
 * An answer in bytes of the client's dialect. Calls come in the order `head data* (end | fail)`; `fail` may also come
 * first. After `end`, `fail` or a cancelled generation, nothing more is called.
 */
export interface AnswerSink {
  /**
   * Content has begun: from here on no other expert can take over. Status below 300; headers in lower case, already
   * through the allow-list. Called once.
   */
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /**
   * A piece of the body. The bytes belong to the sink from now on: an expert never changes a buffer it handed over.
   * False asks the expert to pause until `Generation.resume` is called.
   */
  data(chunk: Uint8Array): boolean;
  end(outcome: Outcome): void;
  fail(failure: Failure): void;
}

/** A running generation, seen from the side that reads it. Both calls are harmless after the end. */
export interface Generation {
  resume(): void;
  /** The reader is gone: stop working on it now. No sink method is called afterwards. */
  cancel(): void;
}

export const UNKNOWN_OUTCOME: Outcome = { usage: 'unknown', finishReason: 'unknown' };
