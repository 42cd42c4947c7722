/**
 * Which engine answers at an address, from what it answered to a few questions. Pure: the questions are data, the
 * answers are given, and whoever asks lives elsewhere.
 *
 * What engines say of themselves: `owned_by` of OpenAI's model list (vLLM `vllm`, SGLang `sglang`, trtllm-serve
 * `tensorrt_llm`, llama-server `llamacpp`, Triton's OpenAI frontend `Triton Inference Server`), and addresses that one
 * of them alone has.
 */
import { type Answer, type Asked, isAnswer, jsonOf, type Question } from './ask.ts';
import type { Engine } from './engine.ts';

/** What is asked of an unknown address, below its base path: pages alone, so that it changes nothing at any server. */
export const QUESTIONS = {
  models: { path: '/v1/models' },
  version: { path: '/version' },
  props: { path: '/props' },
  ollama: { path: '/api/version' },
  sglang: { path: '/get_server_info' },
  tgi: { path: '/info' },
  kserve: { path: '/v2' },
} as const satisfies Readonly<Record<string, Question>>;

export type Answers = Readonly<Partial<Record<keyof typeof QUESTIONS, Asked>>>;

/** OpenAI's API below `/v1`, or KServe's `/v2` with Triton's extensions. */
export type Api = 'openai' | 'kserve';

export interface EngineSighting {
  readonly state: 'engine';
  /** Null: a server with OpenAI's API that does not say what it is. */
  readonly engine: Engine | null;
  readonly version: string | null;
  /** Names that requests take. Empty where the list could not be had, and for Triton, which lists them on request. */
  readonly models: readonly string[];
  readonly apis: readonly Api[];
}

export type Sighting =
  | EngineSighting
  /** Answers of several engines come from one address: a proxy that mixes them, or two listeners on one port. */
  | { readonly state: 'several'; readonly engines: readonly Engine[]; readonly detail: string }
  | {
      /**
       * `nothing`: nobody listens; `silent`: somebody does and does not answer; `foreign`: no engine; `loading`: not
       * yet; `locked`: only with a key.
       */
      readonly state: 'nothing' | 'silent' | 'foreign' | 'loading' | 'locked';
      readonly detail: string;
    };

/** The values of `owned_by` by which a server names itself. */
const OWNERS: Readonly<Record<string, Engine>> = {
  vllm: 'vLLM',
  sglang: 'SGLang',
  tensorrt_llm: 'TensorRT-LLM',
  llamacpp: 'llama.cpp',
  'Triton Inference Server': 'Triton',
  'expert-router': 'Expert Router',
  emulated: 'Expert Router emulator',
};

/** Signs that only the engine itself gives; each says whether it is there. */
const SIGNS: readonly [engine: Engine, there: (answers: Answers) => boolean][] = [
  ['llama.cpp', ({ props }) => text(jsonOf(props)?.build_info) !== null],
  ['llama.cpp', ({ models }) => isAnswer(models) && models.headers.server === 'llama.cpp'],
  ['SGLang', ({ sglang }) => text(jsonOf(sglang)?.model_path) !== null],
  ['TGI', ({ tgi }) => text(jsonOf(tgi)?.model_id) !== null && 'max_total_tokens' in jsonOf(tgi)!],
  ['Triton', ({ kserve }) => jsonOf(kserve)?.name === 'triton'],
];

export function recognise(answers: Answers): Sighting {
  const engines = enginesIn(answers);
  if (engines.length > 1) {
    return {
      state: 'several',
      engines,
      detail: `answers of ${engines.join(' and ')} come from this one address`,
    };
  }
  const [engine = null] = engines;
  const models = modelIds(answers.models);
  if (engine === null && models === null) return unrecognised(Object.values(answers));
  return {
    state: 'engine',
    engine,
    version: versionOf(engine, answers),
    models: models ?? oneModel(answers),
    apis: [
      ...(models === null ? [] : (['openai'] as const)),
      ...(jsonOf(answers.kserve)?.name === 'triton' ? (['kserve'] as const) : []),
    ],
  };
}

/** Those that gave a sign of their own; else the one that is likely. */
function enginesIn(answers: Answers): readonly Engine[] {
  const owners = (modelList(answers.models) ?? []).flatMap(
    (model) => OWNERS[text(model.owned_by) ?? ''] ?? [],
  );
  const signs = SIGNS.filter(([, there]) => there(answers)).map(([engine]) => engine);
  const certain = [...new Set([...owners, ...signs])];
  if (certain.length > 0) return certain;
  const { version, ...rest } = jsonOf(answers.ollama) ?? {};
  return text(version) !== null && Object.keys(rest).length === 0 ? ['Ollama'] : [];
}

function versionOf(engine: Engine | null, answers: Answers): string | null {
  switch (engine) {
    case 'vLLM':
    case 'TensorRT-LLM':
      return text(jsonOf(answers.version)?.version);
    case 'SGLang':
      return text(jsonOf(answers.sglang)?.version);
    case 'llama.cpp':
      return text(jsonOf(answers.props)?.build_info);
    case 'Ollama':
      return text(jsonOf(answers.ollama)?.version);
    case 'TGI':
      return text(jsonOf(answers.tgi)?.version);
    case 'Triton':
      return text(jsonOf(answers.kserve)?.version);
    default:
      return null;
  }
}

type Json = Readonly<Record<string, unknown>>;

/** OpenAI's list `{data: [{id, owned_by}]}`, or the bare array that some clouds send. Null for anything else. */
function modelList(asked: Asked | undefined): readonly Json[] | null {
  if (!isAnswer(asked) || asked.status !== 200) return null;
  let json: unknown;
  try {
    json = JSON.parse(asked.body);
  } catch {
    return null;
  }
  const list = Array.isArray(json) ? json : (json as { data?: unknown } | null)?.data;
  if (!Array.isArray(list)) return null;
  return list.filter((model) => text((model as Json | null)?.id) !== null) as Json[];
}

export function modelIds(asked: Asked | undefined): readonly string[] | null {
  return modelList(asked)?.map((model) => model.id as string) ?? null;
}

/** TGI's one model, where there is no list of OpenAI's form. */
function oneModel({ tgi }: Answers): readonly string[] {
  const id = text(jsonOf(tgi)?.model_id);
  return id === null ? [] : [id];
}

/** What Triton is asked for its repository's index, once it is known to be Triton. */
export const REPOSITORY: Question = { method: 'POST', path: '/v2/repository/index', body: '{}' };

/** The models of a Triton repository that are ready, by its index. */
export function readyModels(asked: Asked): readonly string[] {
  if (!isAnswer(asked) || asked.status !== 200) return [];
  try {
    const index = JSON.parse(asked.body) as readonly Json[];
    const ready = index.filter((model) => model.state === 'READY').flatMap((model) => text(model.name) ?? []);
    return [...new Set(ready)];
  } catch {
    return [];
  }
}

/** Whether a model of KServe's protocol takes a prompt as text, by its metadata. */
export function takesText(metadata: Asked | undefined): boolean {
  const inputs = jsonOf(metadata)?.inputs;
  return Array.isArray(inputs) && inputs.some((input: Json | null) => input?.name === 'text_input');
}

function unrecognised(asked: readonly Asked[]): Sighting {
  const answers = asked.filter(isAnswer);
  if (answers.length === 0) return unanswered(asked);
  if (answers.some((answer) => answer.status === 503 && !isHtml(answer)))
    return { state: 'loading', detail: answers.find((answer) => answer.status === 503)!.body.slice(0, 200) };
  const locked = answers.find((answer) => answer.status === 401 || answer.status === 403);
  if (locked) return { state: 'locked', detail: `it answers ${locked.status}: it wants a key` };
  const server = answers[0]!.headers.server;
  const what = answers.some(isHtml)
    ? 'a web server with HTML pages'
    : `a server that answers ${[...new Set(answers.map((answer) => answer.status))].join(', ')} where engines describe themselves`;
  return { state: 'foreign', detail: server ? `${what} (${server})` : what };
}

function unanswered(asked: readonly Asked[]): Sighting {
  const failures = asked.flatMap((one) => (isAnswer(one) ? [] : [one]));
  const worst = (['garbled', 'silent', 'refused'] as const)
    .map((failure) => failures.find((one) => one.failure === failure))
    .find((one) => one !== undefined);
  if (!worst) return { state: 'nothing', detail: 'nothing was asked' };
  if (worst.failure === 'garbled')
    return { state: 'foreign', detail: `not an HTTP/1.1 server (${worst.detail})` };
  return { state: worst.failure === 'silent' ? 'silent' : 'nothing', detail: worst.detail };
}

function isHtml({ headers, body }: Answer): boolean {
  return (headers['content-type'] ?? '').includes('text/html') || /^\s*<(!doctype|html)/i.test(body);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
