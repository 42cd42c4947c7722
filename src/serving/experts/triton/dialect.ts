/**
 * The four sets of tensors that language models on Triton use, and how to recognise them. Names and types come from the
 * model's metadata, since releases have renamed and added tensors.
 * Sources: NVIDIA/TensorRT-LLM, triton_backend/all_models; triton-inference-server/vllm_backend, src/model.py.
 */
import { RouterError } from '../../../core/errors.ts';
import type { Ask, Parameters } from '../../dialects/ask.ts';
import type { ModelMetadata } from './server.ts';
import { type InputTensor, inputTensor, type Scalar } from './tensors.ts';

export const DIALECTS = ['ensemble', 'core', 'llmapi', 'vllm'] as const;
export type DialectName = (typeof DIALECTS)[number];

/** What an input is for. */
type Role =
  | 'prompt'
  | 'promptLength'
  | 'maxTokens'
  | 'stream'
  | 'excludePrompt'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'seed'
  | 'repetitionPenalty'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'stop'
  | 'endId'
  | 'sampling'
  | 'tellInputTokens'
  | 'tellOutputTokens'
  | 'tellFinishReason';

interface Dialect {
  /** The names a role may have, newest first. */
  readonly inputs: Partial<Record<Role, readonly string[]>>;
  /** Required to recognise the dialect. */
  readonly needs: readonly Role[];
  /** Whether each response of a stream repeats the text so far; `config` names a parameter that says so. */
  readonly cumulative: boolean | { readonly config: string };
}

/** Tensors that the ensemble, the core model and the vLLM backend call alike. */
const COMMON = {
  excludePrompt: ['exclude_input_in_output'],
  tellInputTokens: ['return_num_input_tokens'],
  tellOutputTokens: ['return_num_output_tokens'],
} as const;

const TENSORRT = {
  ...COMMON,
  temperature: ['temperature'],
  seed: ['seed', 'random_seed'],
  repetitionPenalty: ['repetition_penalty'],
  frequencyPenalty: ['frequency_penalty'],
  presencePenalty: ['presence_penalty'],
} as const;

const TABLE: Readonly<Record<DialectName, Dialect>> = {
  ensemble: {
    inputs: {
      ...TENSORRT,
      prompt: ['text_input'],
      maxTokens: ['max_tokens'],
      stream: ['stream'],
      topP: ['top_p'],
      topK: ['top_k'],
      stop: ['stop_words'],
    },
    needs: ['prompt', 'maxTokens'],
    // tensorrt_llm_bls decodes anew all tokens so far when this parameter is true.
    cumulative: { config: 'accumulate_tokens' },
  },
  core: {
    inputs: {
      ...TENSORRT,
      prompt: ['input_ids'],
      promptLength: ['input_lengths'],
      maxTokens: ['request_output_len'],
      stream: ['streaming'],
      topP: ['runtime_top_p'],
      topK: ['runtime_top_k'],
      endId: ['end_id'],
    },
    needs: ['prompt', 'promptLength', 'maxTokens'],
    cumulative: false,
  },
  llmapi: {
    inputs: {
      prompt: ['text_input'],
      maxTokens: ['sampling_param_max_tokens'],
      stream: ['streaming'],
      excludePrompt: ['sampling_param_exclude_input_from_output'],
      temperature: ['sampling_param_temperature'],
      topP: ['sampling_param_top_p'],
      topK: ['sampling_param_top_k'],
      seed: ['sampling_param_seed'],
      repetitionPenalty: ['sampling_param_repetition_penalty'],
      frequencyPenalty: ['sampling_param_frequency_penalty'],
      presencePenalty: ['sampling_param_presence_penalty'],
      stop: ['sampling_param_stop'],
      tellFinishReason: ['return_finish_reason'],
    },
    needs: ['prompt', 'maxTokens'],
    // Each response carries `RequestOutput.outputs[0].text`, which is the whole text so far.
    cumulative: true,
  },
  vllm: {
    inputs: {
      ...COMMON,
      prompt: ['text_input'],
      stream: ['stream'],
      sampling: ['sampling_parameters'],
      tellFinishReason: ['return_finish_reason'],
    },
    needs: ['prompt', 'sampling'],
    cumulative: false,
  },
};

/** The dialect that the metadata shows; null for none of the four. */
export function detectDialect({ inputs }: ModelMetadata): DialectName | null {
  const has = (name: string): boolean => inputs.some((input) => input.name === name);
  if (has('sampling_parameters')) return 'vllm';
  if (has('sampling_param_max_tokens')) return 'llmapi';
  if (has('input_ids')) return 'core';
  return has('text_input') && has('max_tokens') ? 'ensemble' : null;
}

/** Required inputs of a dialect that this model lacks. */
export function missingInputs(dialect: DialectName, { inputs }: ModelMetadata): readonly string[] {
  const table = TABLE[dialect];
  return table.needs
    .map((role) => table.inputs[role] ?? [])
    .filter((names) => !inputs.some((input) => names.includes(input.name)))
    .map((names) => names[0]!);
}

/** Whether responses repeat the text before them; null if neither dialect nor config tells. */
export function isCumulative(
  dialect: DialectName,
  parameters: Readonly<Record<string, string>>,
): boolean | null {
  const { cumulative } = TABLE[dialect];
  if (typeof cumulative === 'boolean') return cumulative;
  const value = parameters[cumulative.config]?.toLowerCase();
  if (value === undefined) return null;
  return value === 'true' || value === '1';
}

/** One generation, not yet as tensors. */
export interface Inference {
  readonly ask: Pick<Ask, 'fieldOf'>;
  /** Text, or token ids for the dialect that takes them. */
  readonly prompt: string | readonly number[];
  readonly parameters: Parameters;
  readonly maxTokens: number;
  readonly stream: boolean;
  /** The token that ends an answer, where the tokeniser knows it. */
  readonly endId: number | null;
}

/**
 * The generation as tensors of this model.
 * @throws RouterError `unsupported_parameter` for a way of sampling that the model has no tensor for; a seed, which
 *   OpenAI promises only as best effort, is left out then, and stop texts are found by the reader anyway
 */
export function inputsFor(
  dialect: DialectName,
  metadata: ModelMetadata,
  inference: Inference,
): readonly InputTensor[] {
  const table = TABLE[dialect];
  const inputs: InputTensor[] = [];
  const add = (role: Role, values: readonly Scalar[]): boolean => {
    const spec = metadata.inputs.find((input) => table.inputs[role]?.includes(input.name));
    if (spec) inputs.push(inputTensor(spec, values));
    return spec !== undefined;
  };
  add('prompt', typeof inference.prompt === 'string' ? [inference.prompt] : inference.prompt);
  add('promptLength', [inference.prompt.length]);
  add('maxTokens', [inference.maxTokens]);
  add('stream', [inference.stream]);
  for (const role of ['excludePrompt', 'tellInputTokens', 'tellOutputTokens', 'tellFinishReason'] as const) {
    add(role, [true]);
  }
  if (inference.endId !== null) add('endId', [inference.endId]);
  if (inference.parameters.stop.length > 0) add('stop', inference.parameters.stop);
  if (dialect === 'vllm') {
    add('sampling', [JSON.stringify(vllmSampling(inference))]);
    return inputs;
  }
  for (const { role, param, value, needed } of tensorrtSampling(inference.parameters)) {
    if (!add(role, [value]) && needed) throw notOffered(inference.ask.fieldOf(param), metadata.name);
  }
  return inputs;
}

interface Sampled {
  readonly role: Role;
  readonly param: keyof Parameters;
  readonly value: number;
  /** Whether a model without this input must refuse. */
  readonly needed: boolean;
}

/**
 * TensorRT-LLM's engines take temperature 0 for no number at all in some releases: the greedy choice is asked for by
 * top_k 1. Where the client names a temperature and no top_p, top_p is 1 as OpenAI has it; the engine's own default
 * of 0 would be greedy.
 */
function tensorrtSampling(asked: Parameters): readonly Sampled[] {
  const sampled: Sampled[] = [];
  const set = (role: Role, param: keyof Parameters, value: number | undefined, neutral?: number): void => {
    const needed = role !== 'seed' && !(role === 'topP' && value === 1);
    if (value !== undefined && value !== neutral) sampled.push({ role, param, value, needed });
  };
  if (asked.temperature === 0) {
    set('topK', 'temperature', 1);
  } else {
    set('temperature', 'temperature', asked.temperature);
    set('topK', 'topK', asked.topK, 0);
    set('topP', 'topP', asked.topP ?? (asked.temperature === undefined ? undefined : 1));
  }
  set('seed', 'seed', asked.seed === undefined ? undefined : unsigned(asked.seed));
  set('repetitionPenalty', 'repetitionPenalty', asked.repetitionPenalty, 1);
  set('frequencyPenalty', 'frequencyPenalty', asked.frequencyPenalty, 0);
  set('presencePenalty', 'presencePenalty', asked.presencePenalty, 0);
  return sampled;
}

/** vLLM's SamplingParams as its Triton backend reads them. */
function vllmSampling({ parameters: asked, maxTokens }: Inference): Record<string, unknown> {
  const given = {
    max_tokens: maxTokens,
    temperature: asked.temperature,
    top_p: asked.topP,
    top_k: asked.topK || undefined,
    seed: asked.seed,
    repetition_penalty: asked.repetitionPenalty,
    frequency_penalty: asked.frequencyPenalty || undefined,
    presence_penalty: asked.presencePenalty || undefined,
    stop: asked.stop.length > 0 ? asked.stop : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** A seed as the unsigned number that the tensor holds; the same seed always becomes the same number. */
function unsigned(seed: number): number {
  return Number(BigInt.asUintN(53, BigInt(seed)));
}

function notOffered(param: string, model: string): RouterError {
  return new RouterError(
    'unsupported_parameter',
    `'${param}' cannot be honoured: model '${model}' on Triton has no input for it. Leave it out.`,
    { param },
  );
}
