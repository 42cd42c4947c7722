/**
 * A model repository for a real Triton server, in the user's temporary folder: models that speak the tensors of the
 * four dialects, under the names and types of NVIDIA's own config files.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PYTHON = join(import.meta.dirname, 'python');

type Tensor = readonly [name: string, type: string, dims: readonly number[], optional?: boolean];

interface Model {
  /** The class in scripted.py. */
  readonly python: string;
  readonly maxBatch: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

const optional = (type: string, ...names: readonly string[]): Tensor[] =>
  names.map((name) => [name, type, [1], true] as const);

const SAMPLING = [
  ...optional('TYPE_FP32', 'temperature', 'repetition_penalty', 'presence_penalty', 'frequency_penalty'),
  ...optional('TYPE_UINT64', 'seed'),
];

export const MODELS = {
  ensemble: {
    python: 'Ensemble',
    maxBatch: 4,
    inputs: [
      ['text_input', 'TYPE_STRING', [1]],
      ['max_tokens', 'TYPE_INT32', [1]],
      ['stop_words', 'TYPE_STRING', [-1], true],
      ...optional('TYPE_BOOL', 'stream', 'exclude_input_in_output'),
      ...optional('TYPE_BOOL', 'return_num_input_tokens', 'return_num_output_tokens'),
      ...optional('TYPE_INT32', 'top_k', 'end_id', 'pad_id'),
      ...optional('TYPE_FP32', 'top_p'),
      ...SAMPLING,
    ],
    outputs: [
      ['text_output', 'TYPE_STRING', [-1]],
      ['num_input_tokens', 'TYPE_INT32', [1]],
      ['num_output_tokens', 'TYPE_INT32', [1]],
    ],
  },
  core: {
    python: 'Core',
    maxBatch: 4,
    inputs: [
      ['input_ids', 'TYPE_INT32', [-1]],
      ['input_lengths', 'TYPE_INT32', [1]],
      ['request_output_len', 'TYPE_INT32', [1]],
      ...optional('TYPE_INT32', 'end_id', 'pad_id', 'runtime_top_k'),
      ...optional('TYPE_FP32', 'runtime_top_p'),
      ...optional('TYPE_BOOL', 'streaming', 'stop', 'exclude_input_in_output'),
      ...SAMPLING,
    ],
    outputs: [
      ['output_ids', 'TYPE_INT32', [-1, -1]],
      ['sequence_length', 'TYPE_INT32', [-1]],
    ],
  },
  llmapi: {
    python: 'LlmApi',
    maxBatch: 0,
    inputs: [
      ['text_input', 'TYPE_STRING', [-1]],
      ...optional('TYPE_BOOL', 'streaming', 'return_finish_reason', 'stop'),
      ...optional('TYPE_BOOL', 'sampling_param_exclude_input_from_output'),
      ...optional(
        'TYPE_INT32',
        'sampling_param_max_tokens',
        'sampling_param_top_k',
        'sampling_param_best_of',
      ),
      ...optional('TYPE_FP32', 'sampling_param_temperature', 'sampling_param_top_p'),
      ...optional('TYPE_FP32', 'sampling_param_frequency_penalty', 'sampling_param_presence_penalty'),
      ...optional('TYPE_UINT64', 'sampling_param_seed'),
      ['sampling_param_stop', 'TYPE_STRING', [-1], true],
    ],
    outputs: [
      ['text_output', 'TYPE_STRING', [-1]],
      ['finish_reason', 'TYPE_STRING', [-1]],
    ],
  },
  vllm: {
    python: 'Vllm',
    maxBatch: 0,
    inputs: [
      ['text_input', 'TYPE_STRING', [1]],
      ...optional('TYPE_BOOL', 'stream', 'exclude_input_in_output', 'return_finish_reason'),
      ...optional('TYPE_BOOL', 'return_num_input_tokens', 'return_num_output_tokens'),
      ...optional('TYPE_STRING', 'sampling_parameters'),
    ],
    outputs: [
      ['text_output', 'TYPE_STRING', [-1]],
      ['finish_reason', 'TYPE_STRING', [-1]],
      ['num_input_tokens', 'TYPE_UINT32', [1]],
      ['num_output_tokens', 'TYPE_UINT32', [-1]],
    ],
  },
} as const satisfies Readonly<Record<string, Model>>;

/** Writes the repository below `folder`, and a model `broken` that cannot be loaded. */
export function writeRepository(folder: string): void {
  for (const [name, model] of Object.entries<Model>(MODELS)) {
    writeModel(folder, name, model, `from scripted import ${model.python} as TritonPythonModel\n`);
  }
  writeModel(folder, 'broken', MODELS.vllm, 'raise RuntimeError("these weights are broken")\n');
}

function writeModel(folder: string, name: string, model: Model, code: string): void {
  const version = join(folder, name, '1');
  mkdirSync(version, { recursive: true });
  cpSync(PYTHON, version, { recursive: true });
  writeFileSync(join(version, 'model.py'), code);
  writeFileSync(join(folder, name, 'config.pbtxt'), configOf(model));
}

function configOf({ maxBatch, inputs, outputs }: Model): string {
  const tensor = ([name, type, dims, isOptional]: Tensor): string =>
    `{ name: "${name}" data_type: ${type} dims: [${dims}]${isOptional ? ' optional: true' : ''} }`;
  return [
    'backend: "python"',
    `max_batch_size: ${maxBatch}`,
    'model_transaction_policy { decoupled: true }',
    `input [ ${inputs.map(tensor).join(',\n')} ]`,
    `output [ ${outputs.map(tensor).join(',\n')} ]`,
    'instance_group [ { kind: KIND_CPU count: 1 } ]',
  ].join('\n');
}
