import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { UserError } from '../core/errors.ts';
import { deployment } from '../simulating/deployment.ts';
import { findGpu } from '../simulating/hardware/gpu.ts';
import { DEFAULT_LIMITS, memoryBudget } from '../simulating/memory.ts';
import { planFigures } from '../simulating/planner/figures.ts';
import { composeFile } from './compose-file.ts';
import { engineFolder } from './folder.ts';
import type { ServeMode } from './format.ts';
import { engineFormat, type FormatChoice } from './format.ts';
import { buildFlags, quantiseFlags, templateValues } from './legacy.ts';
import { DEFAULT_IMAGES, type EnginePlan, layOut } from './plan.ts';
import { engineSize } from './size.ts';

const LENGTHS = { promptTokens: 1000, outputTokens: 200 };

interface Case {
  readonly model?: string;
  readonly gpu?: string;
  readonly choice?: Partial<FormatChoice>;
  readonly tp?: number;
  readonly count?: number;
  readonly source?: string;
}

function planFor(serve: ServeMode, given: Case = {}): EnginePlan {
  const { model = 'llama-2-13b', gpu = 'h100', choice = {}, tp = 1, count = 8 } = given;
  const format = engineFormat(findGpu(gpu), serve, { quantized: false, ...choice });
  const d = deployment({ model, gpu, precision: format.precision.name, tensorParallel: tp });
  const source = given.source ?? 'owner/model';
  const served = {
    source,
    local: source.startsWith('/'),
    name: 'model-x',
    size: engineSize({ ...d, precision: format.precision }, DEFAULT_LIMITS, LENGTHS),
  };
  const experts = layOut(
    Array.from({ length: count }, (_, i) => ({ id: `expert-${i + 1}`, model: served })),
    { serve, tensorParallel: tp, gpus: 8 },
  );
  return { serve, format, images: DEFAULT_IMAGES[serve], models: [served], experts };
}

const MODES = ['trtllm-serve', 'triton', 'legacy'] as const;

interface Service {
  readonly command: readonly string[];
  readonly ports: readonly string[];
  readonly deploy: { resources: { reservations: { devices: readonly { device_ids: readonly string[] }[] } } };
}
const servicesOf = (plan: EnginePlan): readonly Service[] => Object.values(parse(composeFile(plan)).services);

describe('where experts go', () => {
  it.each(MODES)('%s: every GPU belongs to one expert, every port to one server', (serve) => {
    const services = servicesOf(planFor(serve));
    const gpus = services.flatMap((s) =>
      s.deploy.resources.reservations.devices.flatMap((d) => d.device_ids),
    );
    expect(gpus.toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    const ports = services.flatMap((s) => s.ports);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
    expect(ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
  });

  it('splits an expert over neighbouring GPUs', () => {
    const { experts } = planFor('trtllm-serve', { model: 'llama-3.1-70b', tp: 2, count: 4 });
    expect(experts.map(({ gpus }) => gpus)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
  });

  it.each([
    [{ tensorParallel: 2, gpus: 8 }, /8 experts on 2 GPUs each need 16.*use 4 experts/],
    [{ tensorParallel: 1, gpus: 8, firstPort: 8076 }, /8080, where the router listens/],
    [{ tensorParallel: 1, gpus: 8, firstPort: 65_530 }, /65535 is the last/],
  ])('%j is refused', (layout, message) => {
    const model = planFor('trtllm-serve').models[0]!;
    const experts = Array.from({ length: 8 }, (_, i) => ({ id: `e${i}`, model }));
    expect(() => layOut(experts, { serve: 'trtllm-serve', ...layout })).toThrow(message);
  });
});

describe('limits', () => {
  it('are those of plan, on the command line, in the files and in the router alike', () => {
    const figures = planFigures(
      deployment({ model: 'llama-2-13b', gpu: 'h100', precision: 'fp8' }),
      DEFAULT_LIMITS,
      LENGTHS,
    );
    const plan = planFor('trtllm-serve');
    const flag = (name: string): number => {
      const { command } = servicesOf(plan)[0]!;
      return Number(command[command.indexOf(name) + 1]);
    };
    expect(flag('--max_batch_size')).toBe(figures.max_concurrent);
    expect(flag('--max_num_tokens')).toBe(DEFAULT_LIMITS.maxTokens);
    expect(flag('--max_seq_len')).toBe(4096);
    const files = engineFolder(plan);
    const kv = parse(files['serve/model-x.yaml']!.content).kv_cache_config;
    expect(kv.free_gpu_memory_fraction).toBe(flag('--kv_cache_free_gpu_memory_fraction'));
    for (const expert of parse(files['router.yaml']!.content).experts)
      expect(expert.max_concurrent).toBe(figures.max_concurrent);
    const llmapi = engineFolder(planFor('triton'));
    expect(parse(llmapi['triton/model-x/tensorrt_llm/1/model.yaml']!.content)).toMatchObject({
      max_batch_size: figures.max_concurrent,
      max_num_tokens: DEFAULT_LIMITS.maxTokens,
      max_seq_len: 4096,
    });
    expect(JSON.parse(files['plan.json']!.content).models[0].figures).toEqual(figures);
  });

  it('leave room in the cache for a whole batch of mean requests, and for the longest', () => {
    for (const gpu of ['l40s', 'h100', 'h200', 'b200']) {
      const { size } = planFor('trtllm-serve', { model: 'llama-3.1-8b', gpu }).models[0]!;
      const { kvTokens } = memoryBudget(size.deployment, DEFAULT_LIMITS);
      expect(size.maxBatch * 1200).toBeLessThanOrEqual(kvTokens);
      expect(size.maxSequence).toBeLessThanOrEqual(kvTokens);
    }
  });

  it('an 8-bit cache holds twice the requests of a 16-bit one beside the same weights', () => {
    const at = (kvCache: 'fp8' | '16bit') =>
      planFor('trtllm-serve', { gpu: 'a100', choice: { precision: 'bf16', kvCache } }).models[0]!.size;
    const ratio = at('fp8').figures.max_tokens_in_kv / at('16bit').figures.max_tokens_in_kv;
    expect(ratio).toBeGreaterThan(1.99);
    expect(ratio).toBeLessThan(2.01);
  });

  const d = deployment({ model: 'llama-2-13b', gpu: 'h100', precision: 'fp8' });
  it.each([
    [8192, LENGTHS, /--context: 8192 tokens are more than the 4096/],
    [1000, LENGTHS, /mean lengths of 1200 tokens do not fit into --context 1000/],
  ])('refuses a context of %i for %j', (context, lengths, message) => {
    expect(() => engineSize(d, DEFAULT_LIMITS, lengths, context)).toThrow(message);
  });

  it('says when a model does not fit', () => {
    const large = deployment({ model: 'llama-3.1-70b', gpu: 'l40s', precision: 'fp8' });
    expect(() => engineSize(large, DEFAULT_LIMITS, LENGTHS)).toThrow(/does not fit.*The nearest that fits/);
  });
});

describe('formats', () => {
  const on = (gpu: string, serve: ServeMode, choice: Partial<FormatChoice>) =>
    engineFormat(findGpu(gpu), serve, { quantized: false, ...choice });

  it.each([
    ['h100', 'trtllm-serve', {}, { quantise: 'fp8', kvCache: 'fp8', dtype: 'auto' }],
    ['a100', 'trtllm-serve', {}, { quantise: null, kvCache: 'auto', dtype: 'bfloat16' }],
    ['a100', 'trtllm-serve', { precision: 'bf16', kvCache: 'fp8' }, { quantise: null, kvCache: 'fp8' }],
    ['b200', 'triton', { precision: 'nvfp4' }, { quantise: 'nvfp4', kvCache: 'fp8' }],
    ['l40s', 'triton', { precision: 'fp8', kvCache: '16bit' }, { quantise: 'fp8', kvCache: 'auto' }],
    ['h100', 'trtllm-serve', { quantized: true }, { quantise: null, kvCache: 'fp8', dtype: 'auto' }],
    ['a100', 'legacy', { precision: 'int8' }, { quantise: 'int8_sq', kvCache: 'int8' }],
    ['h100', 'legacy', { precision: 'fp16' }, { quantise: 'full_prec', dtype: 'float16' }],
  ] as const)('%s %s %j', (gpu, serve, choice, expected) => {
    expect(on(gpu, serve, choice)).toMatchObject(expected);
  });

  it.each([
    ['a100', 'trtllm-serve', { precision: 'fp8' }, /A100.*no FP8.*--precision bf16 --kv-cache fp8/],
    ['h100', 'trtllm-serve', { precision: 'fp4' }, /FP4.*Blackwell.*--precision fp8/],
    ['a100', 'trtllm-serve', { precision: 'fp4' }, /--precision int4/],
    ['h100', 'trtllm-serve', { precision: 'int8' }, /--serve legacy/],
    ['h100', 'legacy', { quantized: true }, /--quantized: compiled engines/],
    ['h100', 'triton', { precision: 'fp9' }, /"fp9" is not known/],
  ] as const)('%s %s %j is refused with the cure', (gpu, serve, choice, message) => {
    expect(() => on(gpu, serve, choice)).toThrow(message);
    expect(() => on(gpu, serve, choice)).toThrow(UserError);
  });
});

/** Fields of TensorRT-LLM's LlmArgs and KvCacheConfig that these files may use (tensorrt_llm/llmapi/llm_args.py). */
const LLM_ARGUMENTS = new Set([
  ...['model', 'backend', 'dtype', 'tensor_parallel_size', 'pipeline_parallel_size', 'max_batch_size'],
  ...['max_num_tokens', 'max_seq_len', 'enable_chunked_prefill', 'kv_cache_config'],
  ...['enable_iter_perf_stats', 'return_perf_metrics'],
]);
const KV_CACHE_CONFIG = new Set(['free_gpu_memory_fraction', 'enable_block_reuse', 'dtype']);
/** Keys that llmapi's model.py reads for Triton (triton_backend/all_models/llmapi/tensorrt_llm/1/model.py). */
const TRITON_CONFIG = new Set(['max_batch_size', 'decoupled', 'cancellation_check_period_ms']);
/** Flags of tensorrt_llm/commands/serve.py. */
const SERVE_FLAGS = new Set([
  ...['--host', '--port', '--tp_size', '--max_batch_size', '--max_num_tokens', '--max_seq_len'],
  ...['--kv_cache_free_gpu_memory_fraction', '--extra_llm_api_options'],
]);

describe('arguments for TensorRT-LLM', () => {
  const unknown = (value: object, known: ReadonlySet<string>) =>
    Object.keys(value).filter((key) => !known.has(key));

  it.each([{}, { precision: 'bf16' }, { precision: 'int4' }, { kvCache: '16bit' }] as const)(
    '%j: only documented keys',
    (choice) => {
      const options = parse(engineFolder(planFor('trtllm-serve', { choice }))['serve/model-x.yaml']!.content);
      expect(unknown(options, LLM_ARGUMENTS)).toEqual([]);
      const { triton_config, ...model } = parse(
        engineFolder(planFor('triton', { choice }))['triton/model-x/tensorrt_llm/1/model.yaml']!.content,
      );
      expect(unknown(model, LLM_ARGUMENTS)).toEqual([]);
      expect(unknown(model.kv_cache_config, KV_CACHE_CONFIG)).toEqual([]);
      expect(unknown(triton_config, TRITON_CONFIG)).toEqual([]);
      expect(triton_config).toMatchObject({ max_batch_size: 0, decoupled: true });
    },
  );

  it('only documented flags, each with a value', () => {
    const [name, model, ...flags] = servicesOf(planFor('trtllm-serve'))[0]!.command;
    expect([name, model]).toEqual(['trtllm-serve', '/checkpoints/model-x']);
    expect(flags.length % 2).toBe(0);
    for (let i = 0; i < flags.length; i += 2) {
      expect(SERVE_FLAGS).toContain(flags[i]);
      expect(flags[i + 1]).toMatch(/^[^-]/);
    }
  });
});

/**
 * Places in the templates of TensorRT-LLM 1.2's Triton models (tensorrtllm_backend's docs/model_config.md and
 * llama.md).
 */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  preprocessing: [
    'tokenizer_dir',
    'triton_max_batch_size',
    'preprocessing_instance_count',
    'add_special_tokens',
  ],
  postprocessing: [
    'tokenizer_dir',
    'triton_max_batch_size',
    'postprocessing_instance_count',
    'skip_special_tokens',
  ],
  ensemble: ['triton_max_batch_size', 'logits_datatype'],
  tensorrt_llm_bls: [
    ...['triton_max_batch_size', 'decoupled_mode', 'bls_instance_count', 'accumulate_tokens'],
    ...['tensorrt_llm_model_name', 'logits_datatype', 'prompt_embedding_table_data_type'],
  ],
  tensorrt_llm: [
    ...['triton_backend', 'triton_max_batch_size', 'decoupled_mode', 'max_queue_delay_microseconds'],
    ...['max_queue_size', 'engine_dir', 'batching_strategy', 'encoder_input_features_data_type'],
    ...['logits_datatype', 'exclude_input_in_output', 'cancellation_check_period_ms', 'max_beam_width'],
    ...['kv_cache_free_gpu_mem_fraction', 'enable_kv_cache_reuse', 'enable_chunked_context'],
    ...['batch_scheduler_policy', 'prompt_embedding_table_data_type'],
  ],
};

describe('compiled engines', () => {
  const { models, format } = planFor('legacy');
  const { size } = models[0]!;

  it('fill only places that the templates have, with values that fill_template.py can split', () => {
    for (const [model, values] of Object.entries(templateValues(size, format)))
      for (const [key, value] of Object.entries(values)) {
        expect(PLACES[model]).toContain(key);
        expect(value).toMatch(/^[^:,\s]+$/);
      }
  });

  it('are built for what is served, with in-flight batching and streams', () => {
    const flags = buildFlags(size, format).join(' ');
    expect(flags).toContain(`--max_batch_size ${size.maxBatch}`);
    expect(flags).toContain(`--max_seq_len ${size.maxSequence}`);
    expect(templateValues(size, format).tensorrt_llm).toMatchObject({
      triton_max_batch_size: `${size.maxBatch}`,
      batching_strategy: 'inflight_fused_batching',
      decoupled_mode: 'True',
      kv_cache_free_gpu_mem_fraction: `${size.kvFraction}`,
    });
    expect(quantiseFlags(format).join(' ')).toContain('--kv_cache_dtype fp8');
  });

  it('do without paged context attention where the cache is INT8, and so without reuse', () => {
    const int8 = planFor('legacy', { choice: { precision: 'int8' } });
    expect(buildFlags(size, int8.format).join(' ')).toContain('--use_paged_context_fmha disable');
    expect(templateValues(size, int8.format).tensorrt_llm!.enable_kv_cache_reuse).toBe('False');
  });
});

describe('paths with signs in them', () => {
  it('reach compose as they are', () => {
    const text = composeFile(
      planFor('trtllm-serve', { source: '/models/a $HOME b', choice: { quantized: true } }),
    );
    const [volume] = parse(text).services['expert-1'].volumes;
    expect(volume.source).toBe('/models/a $$HOME b');
  });

  it('reach the scripts as one word', () => {
    const plan = planFor('legacy', { source: "/srv/it's $HOME/x y" });
    expect(engineFolder(plan)['prepare.sh']!.content).toContain(
      "make ./built/model-x device=0 '/srv/it'\\''s $HOME/x y' build-model-x.sh\n",
    );
  });
});

describe('scripts', () => {
  it('have nothing left of their templates', () => {
    for (const serve of MODES)
      for (const [path, { content }] of Object.entries(engineFolder(planFor(serve))))
        if (path.endsWith('.sh')) expect(content).not.toMatch(/@[a-z][a-z_]*@|^#@/m);
  });
});
