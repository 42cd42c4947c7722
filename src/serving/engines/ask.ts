/** One question to a server over HTTP, and what came of it. */
import type { HttpClient } from '../../http/client.ts';
import type { ResponseHead } from '../../http/response-parser.ts';
import { type Failure, failureFrom } from './failure.ts';

export interface Question {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Cut after `MAX_BYTES`. */
  readonly body: string;
}

export type Asked = Answer | Failure;

/** A page of metrics has some hundred kilobytes; beyond this it is not one, and nobody should have to hold it. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Never rejects. @param signal ends the waiting: the question has then failed with `timeout` */
export function ask(client: HttpClient, question: Question, signal: AbortSignal): Promise<Asked> {
  return new Promise((resolve) => {
    let head: ResponseHead = { status: 0, headers: {} };
    const pieces: Buffer[] = [];
    let bytes = 0;
    const done = (asked: Asked): void => {
      signal.removeEventListener('abort', giveUp);
      resolve(asked);
    };
    const answer = (): void =>
      done({ ...head, body: Buffer.concat(pieces).toString('utf8').slice(0, MAX_BYTES) });
    const exchange = client.request(
      {
        method: question.method ?? 'GET',
        path: question.path,
        headers: { accept: '*/*', ...question.headers },
        body: Buffer.from(question.body ?? ''),
      },
      {
        head: (got) => {
          head = got;
        },
        data: (piece) => {
          pieces.push(piece);
          bytes += piece.length;
          if (bytes <= MAX_BYTES) return true;
          exchange.cancel();
          answer();
          return false;
        },
        end: answer,
        fail: (error) => {
          const failure = failureFrom(error);
          // What closes a connection before the head of an answer has sent something else than HTTP.
          const noHttp = failure.kind === 'cut' && head.status === 0;
          done(noHttp ? { kind: 'wrong-protocol', expected: 'HTTP/1.1', detail: failure.detail } : failure);
        },
      },
    );
    const giveUp = (): void => {
      exchange.cancel();
      done({ kind: 'timeout', detail: head.status === 0 ? 'no answer in time' : 'an answer without end' });
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp);
  });
}

export function isAnswer(asked: Asked | undefined): asked is Answer {
  return asked !== undefined && !('kind' in asked);
}

/** The JSON object of an answer with status 200; null for anything else. */
export function jsonOf(asked: Asked | undefined): Readonly<Record<string, unknown>> | null {
  if (!isAnswer(asked) || asked.status !== 200) return null;
  try {
    const value: unknown = JSON.parse(asked.body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
