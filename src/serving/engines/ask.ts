/** One question to a server over HTTP, and what came of it. It judges no answer, and a server that hangs ends it too. */
import { describeError } from '../../core/errors.ts';
import { type HttpClient, WireError } from '../../http/client.ts';
import { PulledResponse } from '../../http/pulled-response.ts';

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

/** `refused`: nobody listens or it hung up; `silent`: no whole answer in time; `garbled`: something else than HTTP. */
export interface NoAnswer {
  readonly failure: 'refused' | 'silent' | 'garbled';
  readonly detail: string;
}

export type Asked = Answer | NoAnswer;

/** A page of metrics has some hundred kilobytes; beyond this it is not one, and nobody should have to hold it. */
const MAX_BYTES = 8 * 1024 * 1024;

const FAILURES: Readonly<Record<WireError['failure'], NoAnswer['failure']>> = {
  unreachable: 'refused',
  timeout: 'silent',
  cut: 'garbled',
  garbled: 'garbled',
};

/** Never rejects but for a fault of ours. @param signal ends the waiting: the question then counts as `silent` */
export async function ask(client: HttpClient, question: Question, signal: AbortSignal): Promise<Asked> {
  let response: PulledResponse | null = null;
  try {
    const request = {
      method: question.method ?? 'GET',
      path: question.path,
      headers: { accept: '*/*', ...question.headers },
      body: Buffer.from(question.body ?? ''),
    };
    response = await PulledResponse.open(client, request, signal);
    return { ...response.head, body: await response.text(MAX_BYTES) };
  } catch (error) {
    if (error instanceof WireError) return { failure: FAILURES[error.failure], detail: describeError(error) };
    if (!signal.aborted) throw error;
    return { failure: 'silent', detail: response ? 'an answer without end' : 'no answer in time' };
  }
}

export function isAnswer(asked: Asked | undefined): asked is Answer {
  return asked !== undefined && 'status' in asked;
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
