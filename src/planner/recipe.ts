/**
 * A plan as something to run: a config of the router, and the engines' command lines with their limits.
 * It knows the flags of trtllm-serve and vLLM, and starts nothing.
 */
import type { Deployment } from '../simulator/deployment.ts';
import type { EngineLimits } from '../simulator/memory.ts';

const FIRST_PORT = 8000;

export interface Recipe {
  /** The router's config, YAML. */
  readonly config: string;
  /** One command per expert. */
  readonly commands: readonly string[];
}

/**
 * @param repository the model as its engine names it, such as a Hugging Face repository
 * @param maxConcurrent requests that run at once, from the plan: more would only queue inside the engine
 */
export function recipe(
  d: Deployment,
  limits: EngineLimits,
  copies: number,
  repository: string,
  maxConcurrent: number,
): Recipe {
  const batch = Math.min(limits.maxBatch, maxConcurrent);
  const experts = Array.from({ length: copies }, (_, i) => ({
    id: `expert-${i + 1}`,
    port: FIRST_PORT + i,
    i,
  }));
  const config = [
    `# ${copies} x ${d.model.name} in ${d.precision.name} on ${d.tensorParallel} x ${d.gpu.label} each`,
    'experts:',
    ...experts.flatMap(({ id, port, i }) => [
      `  - id: ${id}`,
      '    kind: openai',
      `    url: http://127.0.0.1:${port}/v1`,
      `    model: ${repository}`,
      `    clusters: [${i}]`,
    ]),
    '',
  ].join('\n');
  return { config, commands: experts.map(({ port, i }) => command(d, limits, batch, repository, port, i)) };
}

function command(
  d: Deployment,
  limits: EngineLimits,
  batch: number,
  repository: string,
  port: number,
  i: number,
): string {
  const first = i * d.tensorParallel;
  const devices = Array.from({ length: d.tensorParallel }, (_, k) => first + k).join(',');
  const visible = `CUDA_VISIBLE_DEVICES=${devices}`;
  if (d.engine === 'vllm') {
    const kv = d.precision.kvBytes === 1 ? ' --kv-cache-dtype fp8' : '';
    const quantise = d.precision.name === 'fp8' ? ' --quantization fp8' : '';
    return `${visible} vllm serve ${repository} --port ${port} --tensor-parallel-size ${d.tensorParallel} --max-num-seqs ${batch} --max-num-batched-tokens ${limits.maxTokens} --gpu-memory-utilization 0.9${kv}${quantise}`;
  }
  if (d.engine === 'sglang')
    return `${visible} python -m sglang.launch_server --model-path ${repository} --port ${port} --tp-size ${d.tensorParallel} --max-running-requests ${batch} --chunked-prefill-size ${limits.maxTokens} --mem-fraction-static 0.88`;
  return `${visible} trtllm-serve ${repository} --port ${port} --tp_size ${d.tensorParallel} --max_batch_size ${batch} --max_num_tokens ${limits.maxTokens} --kv_cache_free_gpu_memory_fraction ${limits.kvFraction}`;
}
