/**
 * What TensorRT-LLM's `LLM` is told beyond the command line: trtllm-serve's `--extra_llm_api_options` file, and the
 * `model.yaml` of Triton's llmapi model. Keys: TensorRT-LLM's `tensorrt_llm/llmapi/llm_args.py`.
 */
import type { EngineFormat } from './format.ts';
import type { EngineSize } from './size.ts';
import { yamlText } from './yaml-text.ts';

/** How often llmapi looks for requests whose client has gone, ms; TensorRT-LLM's default. */
const CANCELLATION_CHECK_MS = 100;

/** Chunked prefill lets a prompt be longer than one step, and running answers go on meanwhile. */
function shared(size: EngineSize, format: EngineFormat) {
  return {
    ...(format.dtype === 'auto' ? {} : { dtype: format.dtype }),
    enable_chunked_prefill: true,
    kv_cache_config: {
      free_gpu_memory_fraction: size.kvFraction,
      enable_block_reuse: true,
      ...(format.kvCache === 'auto' ? {} : { dtype: format.kvCache }),
    },
  };
}

/**
 * The two statistics switches open `/prometheus/metrics` with the queue and cache gauges. The cache's share stands
 * here and on the command line, since a `kv_cache_config` here replaces the one made of flags.
 */
export function serveOptionsFile(size: EngineSize, format: EngineFormat): string {
  return yamlText('Beyond the flags in compose.yaml; trtllm-serve reads it with --extra_llm_api_options.', {
    ...shared(size, format),
    enable_iter_perf_stats: true,
    return_perf_metrics: true,
  });
}

/** @param checkpoint the model's folder inside the container */
export function modelFile(size: EngineSize, format: EngineFormat, checkpoint: string): string {
  return yamlText(
    "Triton: TensorRT-LLM's llmapi model. All keys but triton_config are arguments of tensorrt_llm.LLM; in-flight\nbatching is the engine's, so Triton's own batching stays off. decoupled: streams need it.",
    {
      model: checkpoint,
      backend: 'pytorch',
      tensor_parallel_size: size.deployment.tensorParallel,
      pipeline_parallel_size: 1,
      max_batch_size: size.maxBatch,
      max_num_tokens: size.maxTokens,
      max_seq_len: size.maxSequence,
      ...shared(size, format),
      triton_config: {
        max_batch_size: 0,
        decoupled: true,
        cancellation_check_period_ms: CANCELLATION_CHECK_MS,
      },
    },
  );
}
