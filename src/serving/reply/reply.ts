/** The typed reply of an expert, in no dialect, and the sink that takes an answer's bytes. */
import type { Failure } from './failure.ts';

/** Token counts as the expert reported them. Nothing here is ever estimated. */
export interface Usage {
  /** Of the whole prompt, cached ones included. */
  readonly inputTokens: number;
  /** Of the prompt, taken from the engine's cache; absent where it was not told. */
  readonly cachedTokens?: number;
  /** Of the whole answer, thinking included. */
  readonly outputTokens: number;
  /** Of the answer, spent on thinking; absent where it was not told. */
  readonly reasoningTokens?: number;
}

/** `stop`: of its own accord, or at a stop text; `filtered`: the content was refused. */
export type FinishReason = 'stop' | 'length' | 'tool calls' | 'filtered';

/** Fields that every answer has beside its content. */
export interface ReplyMeta {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly model: string;
}

/**
 * Calls come in the order `begin (text | thinking | toolCall toolArguments*)* (finish | fail)`; `fail` may also come
 * first. False means that the client reads slowly: pause until it has caught up.
 */
export interface Reply {
  begin(meta: ReplyMeta): void;
  /** A piece of the answer, cut between any two UTF-16 units. */
  text(piece: string): boolean;
  /** A piece of the model's thinking. */
  thinking(piece: string): boolean;
  /** A piece of what the model says in place of an answer. Absent where that is text like any other. */
  refusal?(piece: string): boolean;
  /** A source of the text told so far. Absent where none can be told. */
  cite?(source: Source): boolean;
  /** The next tool call begins. */
  toolCall(id: string, name: string): boolean;
  /** More of the arguments of the last tool call: JSON as text, cut anywhere. */
  toolArguments(piece: string): boolean;
  /** @param stopText of the request's, at which the answer stopped, where the expert told it */
  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown', stopText?: string): void;
  fail(failure: Failure): void;
}

/** A page that the text of an answer refers to, and where in the text, in UTF-16 units. */
export interface Source {
  readonly url: string;
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

/** Reads a streamed answer of some dialect into a typed reply. */
export interface ReplyReader {
  /**
   * Reads the next bytes event by event, yielding after each whether the reply has room for more.
   * @throws ToldFailure for an error; SyntaxError for data that is not JSON
   */
  read(bytes: Buffer): Iterable<boolean>;
  /** At the end of the bytes: finishes the reply. False if the answer is not whole. */
  finish(): boolean;
}

/** How a reply ended, as the expert reported it. */
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
   * Content has begun: from now on there is no failover. Status below 300; lower-case headers that passed the
   * allow-list. Called once.
   */
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /**
   * A piece of the body, which the expert must not change afterwards. False asks the expert to pause until
   * `Generation.resume` is called.
   */
  data(chunk: Uint8Array): boolean;
  end(outcome: Outcome): void;
  fail(failure: Failure): void;
}

/** A running generation, as its reader sees it. Both calls do nothing after its end. */
export interface Generation {
  resume(): void;
  /** Stops it at once. No sink method is called afterwards. */
  cancel(): void;
}

/** Of an answer for which nothing was computed. */
export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0 };

export const UNKNOWN_OUTCOME: Outcome = { usage: 'unknown', finishReason: 'unknown' };
