/** Asks an address what it is, all questions at once and within a bound. What the answers mean is decided elsewhere. */
import { HttpClient } from '../wire/client.ts';
import { type Asked, ask, type Question } from './ask.ts';
import { engineRoot } from './habits.ts';
import { type Answers, QUESTIONS, recognise, type Sighting } from './recognise.ts';

export interface ProbeOptions {
  /** Milliseconds for all of it. */
  readonly within: number;
  /** Sent along, lower-case names: a key, where the server wants one. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** @param base address of the API, with or without `/v1`. Never rejects. */
export async function probe(base: URL, { within, headers = {}, signal }: ProbeOptions): Promise<Sighting> {
  const client = new HttpClient(base, { connect: within, head: within, idle: within });
  const limit = AbortSignal.timeout(within);
  const root = engineRoot(base);
  const put = async ([name, question]: [string, Question]): Promise<[string, Asked]> => [
    name,
    await ask(
      client,
      {
        ...question,
        path: root + question.path,
        headers: { ...headers, ...(question.body ? { 'content-type': 'application/json' } : {}) },
      },
      signal ? AbortSignal.any([limit, signal]) : limit,
    ),
  ];
  try {
    return recognise(Object.fromEntries(await Promise.all(Object.entries(QUESTIONS).map(put))) as Answers);
  } finally {
    client.close();
  }
}
