/** Why there is no answer: one value, whichever dialect tells the client. */
import { RouterError } from '../../core/errors.ts';
import type { AnswerSink } from './reply.ts';

export type Failure = RouterError | ToldFailure;

interface Told {
  /** HTTP status, 400 to 599: the server's own, or what its error stands for. */
  readonly status: number;
  readonly message: string;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
  /** Those that may pass to a client; none that describe a body. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly raw?: RawError | null;
}

/** An error's bytes as the server wrote them. */
export interface RawError {
  /** The shape they are in, by the name that dialects give it. */
  readonly shape: string;
  readonly body: Buffer;
}

/** An error that the server behind an expert told. */
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

  /** The same under another status. */
  as(status: number): ToldFailure {
    return new ToldFailure({ ...this, message: this.message, status });
  }
}

type Show = (sink: Omit<AnswerSink, 'fail'>) => void;

/** A whole answer that says nothing: another expert may say more, and where none does it is shown as it came. */
export class EmptyAnswer extends RouterError {
  readonly show: Show;

  constructor(expert: string, show: Show) {
    super('expert_failed', `Expert '${expert}' gave an empty answer.`);
    this.show = show;
  }
}

/** Statuses that say "not here, not now" and not "your request is wrong". */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 529]);

/** Whether another expert, or the same one later, might succeed with the same request. */
export function isRetryable(failure: Failure): boolean {
  return failure instanceof RouterError ? failure.kind.retryable : RETRYABLE_STATUS.has(failure.status);
}

/** The same failure, once a part of the answer has been shown. */
export function brokenOff(expert: string, failure: Failure): RouterError {
  if (failure instanceof RouterError) return failure;
  return new RouterError('expert_cut_stream', `Expert '${expert}' broke off its answer: ${failure.message}.`);
}
