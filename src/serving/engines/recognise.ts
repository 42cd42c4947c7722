/** Recognises the engine at an address by its answers to a few requests. Pure. */
import { type Answers, MODELS, modelIds, modelList, text } from './answers.ts';
import { type Answer, type Asked, isAnswer } from './ask.ts';
import type { EngineFacts } from './engine.ts';
import type { EngineFailure } from './failure.ts';
import { ENGINES } from './index.ts';

/** Paths requested of an unknown address, below its base. */
export const PAGES: readonly string[] = [
  ...new Set([MODELS, ...ENGINES.flatMap(({ signs }) => signs?.pages ?? [])]),
];

/** OpenAI's API below `/v1`, or KServe's `/v2` with Triton's extensions. */
export type Api = 'openai' | 'kserve';

export interface EngineSighting {
  readonly kind: 'engine';
  /** Null: a server with OpenAI's API that does not say what it is. */
  readonly engine: EngineFacts | null;
  readonly version: string | null;
  /** Names of its models. Empty if the list is not available, and for Triton, which lists them on request. */
  readonly models: readonly string[];
  readonly apis: readonly Api[];
}

export type Sighting = EngineSighting | EngineFailure;

export function recognise(answers: Answers): Sighting {
  const engines = enginesIn(answers);
  if (engines.length > 1) return { kind: 'several', engines: engines.map(({ name }) => name) };
  const [engine = null] = engines;
  const models = modelIds(answers[MODELS]);
  if (engine === null && models === null) return unrecognised(Object.values(answers));
  const model = engine?.signs?.model?.(answers) ?? null;
  const kserve = engine?.speaks.includes('kserve') && engine.signs?.is?.(answers);
  return {
    kind: 'engine',
    engine,
    version: engine?.signs?.version?.(answers) ?? null,
    models: models ?? (model === null ? [] : [model]),
    apis: [...(models === null ? [] : (['openai'] as const)), ...(kserve ? (['kserve'] as const) : [])],
  };
}

/** The engines with a sign of their own; else the likely one. */
function enginesIn(answers: Answers): readonly EngineFacts[] {
  const owners = new Set((modelList(answers[MODELS]) ?? []).map((model) => text(model.owned_by)));
  const certain = ENGINES.filter(
    ({ signs }) => signs?.ownedBy?.some((owner) => owners.has(owner)) || signs?.is?.(answers),
  );
  return certain.length > 0 ? certain : ENGINES.filter(({ signs }) => signs?.maybe?.(answers));
}

function unrecognised(asked: readonly Asked[]): EngineFailure {
  const answers = asked.filter(isAnswer);
  if (answers.length === 0) return unanswered(asked);
  const loading = answers.find((answer) => answer.status === 503);
  if (loading && !isHtml(loading)) return { kind: 'loading', detail: loading.body.slice(0, 200) };
  const locked = answers.find(({ status }) => status === 401 || status === 403);
  if (locked) return { kind: 'unauthorized', status: locked.status };
  return {
    kind: 'foreign',
    html: answers.some(isHtml),
    statuses: [...new Set(answers.map(({ status }) => status))],
    server: answers[0]!.headers.server ?? null,
  };
}

/** The most telling failure. */
function unanswered(asked: readonly Asked[]): EngineFailure {
  const failures = asked.flatMap((one) => (isAnswer(one) ? [] : [one]));
  const order: readonly EngineFailure['kind'][] = ['wrong-protocol', 'cut', 'timeout', 'unreachable'];
  return (
    order.map((kind) => failures.find((one) => one.kind === kind)).find((one) => one !== undefined) ?? {
      kind: 'other',
      detail: 'nothing was asked',
    }
  );
}

function isHtml({ headers, body }: Answer): boolean {
  return (headers['content-type'] ?? '').includes('text/html') || /^\s*<(!doctype|html)/i.test(body);
}
