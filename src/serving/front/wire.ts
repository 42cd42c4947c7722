/** How values and errors become HTTP responses: JSON bodies, and every error in OpenAI's shape. */
import type { ServerResponse } from 'node:http';
import { describeError, RouterError } from '../../core/errors.ts';
import { cutOff } from './promised-body.ts';

/** Seconds after which to try again where nothing better is known: a breaker needs no longer to tell. */
const SOON = 1;

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
    .end(body);
}

/** The one door for errors. What is not a RouterError is a fault of ours: told to the operator, not to the client. */
export function sendError(
  response: ServerResponse,
  error: unknown,
  log: (line: string) => void = () => {},
): void {
  const known =
    error instanceof RouterError
      ? error
      : new RouterError('internal_error', 'The router failed to handle this request.');
  if (known !== error)
    log(
      `internal error: ${error instanceof Error ? (error.stack ?? describeError(error)) : describeError(error)}`,
    );
  if (response.headersSent) {
    cutOff(response);
    return;
  }
  if (known.code === 'invalid_api_key') response.setHeader('www-authenticate', 'Bearer');
  const retryAfter = known.retryAfter ?? (known.kind.retryable ? SOON : null);
  if (retryAfter !== null) response.setHeader('retry-after', retryAfter);
  sendJson(response, known.kind.status, known.toWire());
}
