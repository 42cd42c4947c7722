/**
 * The paper's setup: an engine compiled by `trtllm-build`, served by Triton's TensorRT-LLM backend with tokenising
 * models around it. Flags and template keys are those of TensorRT-LLM up to 1.2; later versions have removed it.
 */
import type { EngineFormat } from './format.ts';
import { BUILT_INSIDE } from './plan.ts';
import type { EngineSize } from './size.ts';

/** Cache reuse and chunked prompts need paged context attention, which cannot read an INT8 cache. */
const pagedContext = (format: EngineFormat): boolean => format.kvCache !== 'int8';

/** `trtllm-build`'s limits and switches, as a list of words. */
export function buildFlags(size: EngineSize, format: EngineFormat): readonly string[] {
  return [
    ...['--kv_cache_type', 'paged'],
    ...['--remove_input_padding', 'enable'],
    ...['--use_paged_context_fmha', pagedContext(format) ? 'enable' : 'disable'],
    ...['--max_batch_size', `${size.maxBatch}`],
    ...['--max_num_tokens', `${size.maxTokens}`],
    ...['--max_seq_len', `${size.maxSequence}`],
  ];
}

/** Flags of `examples/quantization/quantize.py` other than the model and folders, as a list of words. */
export function quantiseFlags(format: EngineFormat): readonly string[] {
  return [
    ...['--dtype', format.dtype],
    ...['--qformat', `${format.quantise}`],
    ...(format.kvCache === 'auto' ? [] : ['--kv_cache_dtype', format.kvCache]),
    ...['--calib_size', '512'],
  ];
}

/**
 * What `triton_backend/tools/fill_template.py` puts into each model's `config.pbtxt`: a model's name → keys and values.
 * Keys as in tensorrtllm_backend's `docs/model_config.md` and `docs/llama.md` (before July 2026). The BLS model decodes
 * all tokens so far at once (`accumulate_tokens`), which keeps tokens' leading spaces.
 */
export function templateValues(
  size: EngineSize,
  format: EngineFormat,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const paged = pagedContext(format) ? 'True' : 'False';
  const batch = `${size.maxBatch}`;
  const tokenizer = `${BUILT_INSIDE}/tokenizer`;
  return {
    preprocessing: {
      tokenizer_dir: tokenizer,
      triton_max_batch_size: batch,
      preprocessing_instance_count: '1',
      add_special_tokens: 'False',
    },
    postprocessing: {
      tokenizer_dir: tokenizer,
      triton_max_batch_size: batch,
      postprocessing_instance_count: '1',
      skip_special_tokens: 'True',
    },
    tensorrt_llm_bls: {
      triton_max_batch_size: batch,
      decoupled_mode: 'True',
      bls_instance_count: '1',
      accumulate_tokens: 'True',
      tensorrt_llm_model_name: 'tensorrt_llm',
      logits_datatype: 'TYPE_FP32',
      prompt_embedding_table_data_type: 'TYPE_FP16',
    },
    ensemble: { triton_max_batch_size: batch, logits_datatype: 'TYPE_FP32' },
    tensorrt_llm: {
      triton_backend: 'tensorrtllm',
      triton_max_batch_size: batch,
      decoupled_mode: 'True',
      max_beam_width: '1',
      engine_dir: `${BUILT_INSIDE}/engine`,
      batching_strategy: 'inflight_fused_batching',
      batch_scheduler_policy: 'guaranteed_no_evict',
      kv_cache_free_gpu_mem_fraction: `${size.kvFraction}`,
      enable_kv_cache_reuse: paged,
      enable_chunked_context: paged,
      exclude_input_in_output: 'True',
      cancellation_check_period_ms: '100',
      max_queue_delay_microseconds: '0',
      max_queue_size: '0',
      encoder_input_features_data_type: 'TYPE_FP16',
      logits_datatype: 'TYPE_FP32',
      prompt_embedding_table_data_type: 'TYPE_FP16',
    },
  };
}
