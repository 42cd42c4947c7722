/** Asks an address what it is, all questions at once and within a bound. What the answers mean is decided elsewhere. */
import { HttpClient } from '../../http/client.ts';
import { type Asked, ask, type Question } from './ask.ts';
import { engineRoot } from './habits.ts';
import {
  type Answers,
  QUESTIONS,
  REPOSITORY,
  readyModels,
  recognise,
  type Sighting,
  takesText,
} from './recognise.ts';

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
  const ends = signal ? AbortSignal.any([limit, signal]) : limit;
  const root = engineRoot(base);
  const put = (question: Question): Promise<Asked> => {
    const type = question.body ? { 'content-type': 'application/json' } : {};
    return ask(client, { ...question, path: root + question.path, headers: { ...headers, ...type } }, ends);
  };
  try {
    const asked = Object.entries(QUESTIONS).map(async ([name, question]) => [name, await put(question)]);
    const sighting = recognise(Object.fromEntries(await Promise.all(asked)) as Answers);
    return sighting.state === 'engine' && sighting.engine === 'Triton' && !sighting.apis.includes('openai')
      ? { ...sighting, models: await textModels(put) }
      : sighting;
  } finally {
    client.close();
  }
}

/** Of a Triton repository those that take text: preprocessing and postprocessing steps are models too. */
async function textModels(put: (question: Question) => Promise<Asked>): Promise<readonly string[]> {
  const models = readyModels(await put(REPOSITORY));
  const metadata = await Promise.all(
    models.map((model) => put({ path: `/v2/models/${encodeURIComponent(model)}` })),
  );
  return models.filter((_, index) => takesText(metadata[index]));
}
