/** Why there is no answer, in no particular dialect. */
import { RouterError } from '../../core/errors.ts';
import type { AnswerSink } from './reply.ts';

export type Failure = RouterError | ToldFailure;

interface Told {
  /** HTTP status, 400 to 599: the server's, or the one that its error stands for. */
  readonly status: number;
  readonly message: string;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
  /** Headers that may pass to clients, without those that describe a body. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly raw?: RawError | null;
}

/** An error's bytes as the server wrote them. */
export interface RawError {
  /** The name of their shape; dialects of that shape pass them unchanged. */
  readonly shape: string;
  readonly body: Buffer;
}

/** An error that an expert's server reported. */
export class ToldFailure extends Error {
  override readonly name = 'ToldFailure';
  readonly status: number;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: RawError | null;

  constructor({ status, message, type, param, code, headers = {}, raw }: Told) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = param;
    this.code = code;
    this.headers = headers;
    this.raw = raw ?? null;
  }

  /** The same error with another status. */
  as(status: number): ToldFailure {
    return new ToldFailure({ ...this, message: this.message, status });
  }
}

type Show = (sink: Omit<AnswerSink, 'fail'>) => void;

/** A whole answer without content. Other experts are tried, and if none has content, `show` passes it on unchanged. */
export class EmptyAnswer extends RouterError {
  readonly show: Show;

  constructor(expert: string, show: Show) {
    super('expert_failed', `Expert '${expert}' gave an empty answer.`);
    this.show = show;
  }
}

/** Statuses that blame the server or its load, not the request. */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 529]);

/** Whether another expert, or the same one later, may succeed with the same request. */
export function isRetryable(failure: Failure): boolean {
  return failure instanceof RouterError ? failure.kind.retryable : RETRYABLE_STATUS.has(failure.status);
}

/** The failure as told after a part of the answer has been sent. */
export function brokenOff(expert: string, failure: Failure): RouterError {
  if (failure instanceof RouterError) return failure;
  return new RouterError('expert_cut_stream', `Expert '${expert}' broke off its answer: ${failure.message}.`);
}
