/** Finds out which engine listens at an address, with all requests at once and within a time limit. */
import { HttpClient, type Trust } from '../../http/client.ts';
import { readyModels, takesText } from './answers.ts';
import { type Asked, ask, type Question } from './ask.ts';
import { engineRoot } from './load.ts';
import { PAGES, recognise, type Sighting } from './recognise.ts';
import { triton } from './triton.ts';

export interface ProbeOptions {
  /** Milliseconds for all of it. */
  readonly within: number;
  /** Lower-case names; for a key, if the server wants one. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly trust?: Trust;
}

/** @param base address of the API, with or without `/v1`. Never rejects. */
export async function probe(
  base: URL,
  { within, headers = {}, signal, trust }: ProbeOptions,
): Promise<Sighting> {
  const client = new HttpClient(base, { connect: within, head: within, idle: within }, trust);
  const limit = AbortSignal.timeout(within);
  const ends = signal ? AbortSignal.any([limit, signal]) : limit;
  const root = engineRoot(base);
  const put = (question: Question): Promise<Asked> => {
    const type = question.body ? { 'content-type': 'application/json' } : {};
    return ask(client, { ...question, path: root + question.path, headers: { ...headers, ...type } }, ends);
  };
  try {
    const asked = PAGES.map(async (path) => [path, await put({ path })] as const);
    const sighting = recognise(Object.fromEntries(await Promise.all(asked)));
    return sighting.kind === 'engine' && sighting.engine === triton && !sighting.apis.includes('openai')
      ? { ...sighting, models: await textModels(put) }
      : sighting;
  } finally {
    client.close();
  }
}

/** The models of a Triton repository that take text: preprocessing and postprocessing steps are models too. */
async function textModels(put: (question: Question) => Promise<Asked>): Promise<readonly string[]> {
  const models = readyModels(await put({ method: 'POST', path: '/v2/repository/index', body: '{}' }));
  const metadata = await Promise.all(
    models.map((model) => put({ path: `/v2/models/${encodeURIComponent(model)}` })),
  );
  return models.filter((_, index) => takesText(metadata[index]));
}
