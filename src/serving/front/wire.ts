/** How values and failures become HTTP responses. */
import { describeError, RouterError } from '../../core/errors.ts';
import type { AnswerForm, ErrorAnswer } from '../dialects/ask.ts';
import { DEFAULT_DIALECT } from '../dialects/index.ts';
import { type Failure, ToldFailure } from '../reply/failure.ts';
import type { ClientResponse } from './exchange.ts';
import { cutOff } from './promised-body.ts';

/** Seconds after which to try again where nothing better is known: a breaker needs no longer to tell. */
const SOON = 1;

export function sendJson(response: ClientResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
    .end(body);
}

/** What is no failure is a fault of ours: told to the operator, not to the client. */
export function sendError(
  response: ClientResponse,
  error: unknown,
  dialect: AnswerForm = DEFAULT_DIALECT,
  log: (line: string) => void = () => {},
): void {
  const known = error instanceof RouterError || error instanceof ToldFailure ? error : internal(error, log);
  if (response.headersSent) cutOff(response);
  else sendFailure(response, known, dialect);
}

/** A failure as the answer, in the client's dialect. */
function sendFailure(response: ClientResponse, failure: Failure, dialect: AnswerForm): void {
  const traceId = response.getHeader('x-expert-router-trace-id');
  const { status, headers, body } = failureAnswer(
    failure,
    dialect,
    typeof traceId === 'string' ? traceId : undefined,
  );
  response.writeHead(status, headers).end(body);
}

/** A failure in the client's dialect, with the headers that say what to do about it. */
export function failureAnswer(failure: Failure, dialect: AnswerForm, traceId?: string): ErrorAnswer {
  const answer = dialect.error(failure, traceId);
  if (!(failure instanceof RouterError)) return answer;
  const retryAfter = failure.retryAfter ?? (failure.kind.retryable ? SOON : null);
  return {
    ...answer,
    headers: {
      ...(failure.code === 'invalid_api_key' ? { 'www-authenticate': 'Bearer' } : {}),
      ...(retryAfter === null ? {} : { 'retry-after': String(retryAfter) }),
      ...answer.headers,
    },
  };
}

/** Tells the operator, and gives what the client is told. */
export function internal(error: unknown, log: (line: string) => void): RouterError {
  const described = describeError(error);
  log(`internal error: ${error instanceof Error ? (error.stack ?? described) : described}`);
  return new RouterError('internal_error', 'The router failed to handle this request.');
}
