/** Reads the body of `POST /v1/feedback`. */
import { RouterError } from '../../core/errors.ts';

export interface FeedbackBody {
  readonly traceId: string;
  /** 0 to 1. */
  readonly score: number;
  readonly comment: string | null;
}

const LONGEST_COMMENT = 2_000;

/** @throws RouterError `invalid_json` or `invalid_request` that names the field at fault */
export function readFeedback(bytes: Uint8Array): FeedbackBody {
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new RouterError('invalid_json', 'The body is not valid JSON.', { cause: error });
  }
  const { trace_id: traceId, score, comment = null } = (body ?? {}) as Record<string, unknown>;
  if (typeof traceId !== 'string' || !/^[0-9a-f]{32}$/.test(traceId))
    throw wrong('trace_id', "is the answer's header x-expert-router-trace-id: 32 hex digits");
  const value = typeof score === 'boolean' ? Number(score) : score;
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    throw wrong('score', 'is a number from 0 to 1, or true or false');
  if (comment !== null && (typeof comment !== 'string' || comment.length > LONGEST_COMMENT))
    throw wrong('comment', `is a text of at most ${LONGEST_COMMENT} characters, or absent`);
  return { traceId, score: value, comment };
}

function wrong(param: string, what: string): RouterError {
  return new RouterError('invalid_request', `'${param}' ${what}.`, { param });
}
