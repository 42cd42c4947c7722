/** Errors as Ollama writes them: one text. They are read as every engine's are. */
import { RouterError } from '../../../core/errors.ts';
import type { Failure } from '../../reply/failure.ts';
import type { Streaming } from '../../reply/scanner.ts';
import type { ErrorAnswer } from '../ask.ts';

export function writeError(failure: Failure): ErrorAnswer {
  const told = failure instanceof RouterError ? null : failure;
  const body = errorLine(failure);
  return {
    status: failure instanceof RouterError ? failure.kind.status : failure.status,
    headers: {
      ...told?.headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(body.length),
    },
    body,
  };
}

/** Clients parse every line, so none says merely that somebody is there. */
export const LINES: Streaming = {
  contentType: 'application/x-ndjson',
  separator: '\n',
  keepAlive: null,
  lateError: errorLine,
};

function errorLine({ message }: Failure): Buffer {
  return Buffer.from(`${JSON.stringify({ error: message })}\n`);
}
