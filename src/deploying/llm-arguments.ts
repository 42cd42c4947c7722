/**
 * Arguments of TensorRT-LLM's `LLM` that are not on the command line: trtllm-serve's `--extra_llm_api_options` file,
 * and the `model.yaml` of Triton's llmapi model. Keys: TensorRT-LLM's `tensorrt_llm/llmapi/llm_args.py`.
 */
import type { EngineFormat } from './format.ts';
import type { EngineSize } from './size.ts';
import { yamlText } from './yaml-text.ts';

/** How often llmapi looks for requests whose client has disconnected, ms; TensorRT-LLM's default. */
const CANCELLATION_CHECK_MS = 100;

/** Chunked prefill lets a prompt span several steps while running answers continue. */
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
 * The two statistics switches enable `/prometheus/metrics` with the queue and cache gauges. The cache's share is both
 * here and on the command line, because a `kv_cache_config` here replaces the one from the flags.
 */
export function serveOptionsFile(size: EngineSize, format: EngineFormat): string {
  return yamlText(
    'Options beyond the flags in compose.yaml; trtllm-serve reads it with --extra_llm_api_options.',
    {
      ...shared(size, format),
      enable_iter_perf_stats: true,
      return_perf_metrics: true,
    },
  );
}

/** @param checkpoint the model's folder inside the container */
export function modelFile(size: EngineSize, format: EngineFormat, checkpoint: string): string {
  return yamlText(
    "Triton: TensorRT-LLM's llmapi model. All keys but triton_config are arguments of tensorrt_llm.LLM; the engine does\nin-flight batching, so Triton's own batching stays off. Streams need decoupled mode.",
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
