/** Reads a server's answers to the requests that recognise it. */
import { type Asked, isAnswer, jsonOf } from './ask.ts';

/** Path below the base → its answer or failure. */
export type Answers = Readonly<Record<string, Asked>>;

/** Where servers with OpenAI's API list their models. */
export const MODELS = '/v1/models';

type Json = Readonly<Record<string, unknown>>;

/** A non-empty text of the JSON object that a path returned. */
export function field(answers: Answers, path: string, name: string): string | null {
  return text(jsonOf(answers[path])?.[name]);
}

/** OpenAI's list `{data: [{id, owned_by}]}`, or the bare array that some clouds send. Null for anything else. */
export function modelList(asked: Asked | undefined): readonly Json[] | null {
  const json = parsed(asked);
  const list = Array.isArray(json) ? json : (json as { data?: unknown } | null)?.data;
  if (!Array.isArray(list)) return null;
  return list.filter((model) => text((model as Json | null)?.id) !== null) as Json[];
}

export function modelIds(asked: Asked | undefined): readonly string[] | null {
  return modelList(asked)?.map((model) => model.id as string) ?? null;
}

/** Where lists of models tell the context: vLLM and SGLang, OpenRouter, Groq, Mistral. */
const CONTEXTS = ['max_model_len', 'context_length', 'context_window', 'max_context_length'] as const;

/** Tokens that prompt and answer of a model may have together, as the list of models tells; null where it does not. */
export function contextOf(asked: Asked | undefined, model: string): number | null {
  const listed = modelList(asked)?.find(({ id }) => id === model);
  return CONTEXTS.map((name) => count(listed?.[name])).find((told) => told !== null) ?? null;
}

/** The base of a LoRA adapter, as vLLM's and SGLang's lists of models tell; null for any other model. */
export function parentOf(asked: Asked | undefined, model: string): string | null {
  return text(modelList(asked)?.find(({ id }) => id === model)?.parent);
}

/** A number of things above 0; null for anything else. */
export function count(value: unknown): number | null {
  return Number.isInteger(value) && Number(value) > 0 ? Number(value) : null;
}

/** The models of a Triton repository that are ready, by its index. */
export function readyModels(index: Asked): readonly string[] {
  const list = parsed(index);
  if (!Array.isArray(list)) return [];
  const ready = (list as readonly (Json | null)[]).filter((model) => model?.state === 'READY');
  return [...new Set(ready.flatMap((model) => text(model?.name) ?? []))];
}

/** Whether a model of KServe's protocol takes a prompt as text, by its metadata. */
export function takesText(metadata: Asked | undefined): boolean {
  const inputs = jsonOf(metadata)?.inputs;
  return Array.isArray(inputs) && inputs.some((input: Json | null) => input?.name === 'text_input');
}

export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function parsed(asked: Asked | undefined): unknown {
  if (!isAnswer(asked) || asked.status !== 200) return null;
  try {
    return JSON.parse(asked.body);
  } catch {
    return null;
  }
}
