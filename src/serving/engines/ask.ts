/** One HTTP request to a server, with its answer or failure as a value. */
import { type HttpClient, WireError } from '../../http/client.ts';
import { PulledResponse } from '../../http/pulled-response.ts';
import { type EngineFailure, failureFrom } from './failure.ts';

export interface Question {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Cut after `MAX_BYTES`. */
  readonly body: string;
}

export type Asked = Answer | EngineFailure;

/** A metrics page has some hundred kilobytes; anything larger than this is something else. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Never rejects, short of a bug. @param signal ends the request, which has then failed with `timeout` */
export async function ask(client: HttpClient, question: Question, signal: AbortSignal): Promise<Asked> {
  let response: PulledResponse | null = null;
  try {
    const request = {
      method: question.method ?? 'GET',
      path: question.path,
      headers: { accept: '*/*', ...question.headers },
      body: question.body ?? '',
    };
    response = await PulledResponse.open(client, request, signal);
    return { ...response.head, body: await response.text(MAX_BYTES) };
  } catch (error) {
    if (error instanceof WireError) return wireFailure(error, response !== null);
    if (!signal.aborted) throw error;
    return { kind: 'timeout', detail: response ? 'an answer without end' : 'no answer in time' };
  }
}

function wireFailure(error: WireError, begun: boolean): EngineFailure {
  const failure = failureFrom(error);
  // A server that closes the connection before the head of its answer does not speak HTTP.
  if (failure.kind !== 'cut' || begun) return failure;
  return { kind: 'wrong-protocol', expected: 'HTTP/1.1', detail: failure.detail };
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
