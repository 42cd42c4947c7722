/** Command lines of the engines that speak OpenAI's API, with their limits. */
import type { Deployment } from '../simulating/deployment.ts';

export interface ServingLimits {
  readonly maxBatch: number;
  readonly maxTokens: number;
  readonly kvFraction: number;
  /** When absent, the engine uses the model's trained length. */
  readonly maxSequence?: number;
}

/** `trtllm-serve MODEL …` as a list of words. Flags: TensorRT-LLM's `tensorrt_llm/commands/serve.py`. */
export function trtllmServe(
  model: string,
  port: number,
  tensorParallel: number,
  limits: ServingLimits,
): string[] {
  return [
    ...['trtllm-serve', model],
    ...['--port', `${port}`],
    ...['--tp_size', `${tensorParallel}`],
    ...['--max_batch_size', `${limits.maxBatch}`],
    ...['--max_num_tokens', `${limits.maxTokens}`],
    ...(limits.maxSequence === undefined ? [] : ['--max_seq_len', `${limits.maxSequence}`]),
    ...['--kv_cache_free_gpu_memory_fraction', `${limits.kvFraction}`],
  ];
}

/** The command line of the deployment's engine, as a list of words. */
export function serveCommand(d: Deployment, model: string, port: number, limits: ServingLimits): string[] {
  const tp = `${d.tensorParallel}`;
  if (d.engine === 'vllm')
    return [
      ...['vllm', 'serve', model, '--port', `${port}`, '--tensor-parallel-size', tp],
      ...['--max-num-seqs', `${limits.maxBatch}`, '--max-num-batched-tokens', `${limits.maxTokens}`],
      ...['--gpu-memory-utilization', '0.9'],
      ...(d.precision.kvBytes === 1 ? ['--kv-cache-dtype', 'fp8'] : []),
      ...(d.precision.name === 'fp8' ? ['--quantization', 'fp8'] : []),
    ];
  if (d.engine === 'sglang')
    return [
      ...[
        'python',
        '-m',
        'sglang.launch_server',
        '--model-path',
        model,
        '--port',
        `${port}`,
        '--tp-size',
        tp,
      ],
      ...['--max-running-requests', `${limits.maxBatch}`, '--chunked-prefill-size', `${limits.maxTokens}`],
      ...['--mem-fraction-static', '0.88'],
    ];
  return trtllmServe(model, port, d.tensorParallel, limits);
}
