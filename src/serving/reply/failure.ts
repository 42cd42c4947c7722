/** Why there is no answer, in no particular dialect. */
import { type Blame, RouterError } from '../../core/errors.ts';

export type Failure = RouterError | ToldFailure;

/** What a server refused: a prompt that does not fit, what the prompt says, or the key, credit or model's name it was given. */
export type Objection = 'length' | 'content' | 'setup';

interface Told {
  /** HTTP status, 400 to 599: the server's, or the one that its error stands for. */
  readonly status: number;
  readonly message: string;
  /** In the server's words, as `code`; null for none. */
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
  readonly objection?: Objection | null;
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
  /** Null for anything else. */
  readonly objection: Objection | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: RawError | null;

  constructor({ status, message, type, param, code, objection, headers = {}, raw }: Told) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = param;
    this.code = code;
    this.objection = objection ?? null;
    this.headers = headers;
    this.raw = raw ?? null;
  }

  /** The same error with another status. */
  as(status: number): ToldFailure {
    return new ToldFailure({ ...this, message: this.message, status });
  }
}

/** Who might succeed with the same request. */
export type Reach = 'anyone' | 'another expert' | 'a larger window' | 'nobody';

/**
 * Statuses below 500 that say "not here" or "not now": of our credentials, credit, model name or way of asking, or of its
 * load. Clients have no part in method, path and protocol of what an expert is asked.
 */
const OTHERS_MAY: ReadonlyMap<number, Reach> = new Map([
  [401, 'another expert'],
  [402, 'another expert'],
  [403, 'another expert'],
  [404, 'another expert'],
  [405, 'another expert'],
  [407, 'another expert'],
  [408, 'anyone'],
  [409, 'anyone'],
  [410, 'another expert'],
  [421, 'another expert'],
  [424, 'another expert'],
  [425, 'anyone'],
  [426, 'another expert'],
  [429, 'anyone'],
]);

export function reachOf(failure: Failure): Reach {
  if (isTooLong(failure)) return 'a larger window';
  if (failure instanceof RouterError) return failure.kind.retryable ? 'anyone' : 'nobody';
  if (isFiltered(failure)) return 'nobody';
  if (failure.objection === 'setup') return 'another expert';
  return OTHERS_MAY.get(failure.status) ?? (failure.status >= 500 ? 'anyone' : 'nobody');
}

/** Whether another expert, or the same one later, may succeed with the same request. */
export function isRetryable(failure: Failure): boolean {
  return reachOf(failure) !== 'nobody';
}

/** What the prompt says was refused: no other expert is asked to say it nevertheless. */
export function isFiltered(failure: Failure): boolean {
  return failure instanceof ToldFailure && failure.objection === 'content';
}

/** The prompt does not fit: another expert may have more room. */
export function isTooLong(failure: Failure): boolean {
  return failure instanceof ToldFailure
    ? failure.objection === 'length'
    : failure.code === 'context_length_exceeded';
}

/** Whose doing a failure is; of a server's error, as its status says. */
export function blameFor(failure: Failure): Blame {
  if (failure instanceof RouterError) return failure.kind.blame;
  if (failure.status === 401) return 'key';
  if (failure.status === 429) return 'load';
  return failure.status < 500 ? 'request' : 'server';
}

/** The failure as told after a part of the answer has been sent. */
export function brokenOff(expert: string, failure: Failure): RouterError {
  if (failure instanceof RouterError) return failure;
  return new RouterError('expert_cut_stream', `Expert '${expert}' broke off its answer: ${failure.message}.`);
}
