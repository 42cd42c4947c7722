/** Pages are made from the metrics' documented names and labels; none is a recording of a GPU. */
import { describe, expect, it } from 'vitest';
import { engineNamed } from './index.ts';
import { LOAD_METRICS, loadFrom, metricsAddresses, tellsLoad } from './load.ts';
import { parseMetrics } from './prometheus.ts';

const load = (text: string, engine?: string, model?: string) =>
  loadFrom(parseMetrics(text, LOAD_METRICS), engine === undefined ? null : engineNamed(engine), model);

const VLLM = `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:num_requests_running{engine="0",model_name="other"} 50.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:num_requests_waiting{engine="1",model_name="m"} 0.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.2
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.4
`;

const SGLANG = `sglang:num_running_reqs{engine_type="unified",model_name="m",pp_rank="0",tp_rank="0"} 7.0
sglang:num_running_reqs{engine_type="unified",model_name="m",pp_rank="0",tp_rank="1"} 7.0
sglang:num_queue_reqs{model_name="m",tp_rank="0"} 2.0
sglang:num_queue_reqs{model_name="m",tp_rank="1"} 2.0
sglang:token_usage{model_name="m",tp_rank="0"} 0.31
sglang:token_usage{model_name="m",tp_rank="1"} 0.33
`;

const TRITON_TRTLLM = `nv_inference_pending_request_count{model="ensemble",version="1"} 0
nv_inference_pending_request_count{model="preprocessing",version="1"} 2
nv_inference_pending_request_count{model="tensorrt_llm",version="1"} 5
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 1
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="active",version="1"} 6
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="max",version="1"} 512
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tensorrt_llm",version="1"} 0.5
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="used",model="tensorrt_llm",version="1"} 6239
`;

describe('loadFrom', () => {
  it.each([
    ['vLLM, ranks with requests of their own added up', 'vLLM', VLLM, [7, 1, 0.3]],
    ['SGLang, ranks that report the same requests', 'SGLang', SGLANG, [7, 2, 0.33]],
    ["TensorRT-LLM's backend on Triton, before Triton's own", 'Triton', TRITON_TRTLLM, [6, 1, 0.5]],
    [
      'Triton with another backend',
      'Triton',
      TRITON_TRTLLM.split('\n').slice(0, 3).join('\n'),
      [null, 7, null],
    ],
    [
      'trtllm-serve',
      'TensorRT-LLM',
      'trtllm_num_requests_running{model_name="m",engine_type="pytorch"} 2\ntrtllm_num_requests_waiting{model_name="m"} 3\ntrtllm_kv_cache_utilization{model_name="m"} 0.25',
      [2, 3, 0.25],
    ],
    ['llama.cpp', 'llama.cpp', 'llamacpp:requests_processing 1\nllamacpp:requests_deferred 4', [1, 4, null]],
    [
      'TGI',
      'TGI',
      'tgi_batch_current_size 3\ntgi_queue_size 0\ntgi_batch_current_max_tokens 4096',
      [3, 0, null],
    ],
  ])('reads %s', (_, engine, page, [running, waiting, kvCacheUse]) => {
    const told = load(page as string, engine as string, 'm');
    expect(told).toMatchObject({ running, waiting });
    if (kvCacheUse === null) expect(told.kvCacheUse).toBeNull();
    else expect(told.kvCacheUse).toBeCloseTo(kvCacheUse as number);
    expect(load(page as string, undefined, 'm')).toEqual(told);
  });

  it("knows the cache's name of older versions, and prefers the present one", () => {
    expect(load('vllm:gpu_cache_usage_perc{model_name="m"} 0.7').kvCacheUse).toBe(0.7);
    const both = 'vllm:gpu_cache_usage_perc 0.7\nvllm:kv_cache_usage_perc 0.1';
    expect(load(both).kvCacheUse).toBe(0.1);
  });

  it('counts all models where none has the name that was asked for, as with an alias', () => {
    expect(load(VLLM, 'vLLM', 'alias').running).toBe(57);
    expect(load(VLLM, 'vLLM').running).toBe(57);
  });

  it("does not read another engine's metrics, and says null rather than 0 for what is not there", () => {
    const nothing = { running: null, waiting: null, kvCacheUse: null };
    expect(load(VLLM, 'SGLang')).toEqual(nothing);
    expect(load('process_cpu_seconds_total 3')).toEqual(nothing);
    expect(load('vllm:num_requests_running NaN\nvllm:num_requests_waiting -1')).toEqual(nothing);
    expect(tellsLoad(load(VLLM, 'SGLang'))).toBe(false);
    expect(tellsLoad(load('tgi_queue_size 0'))).toBe(true);
  });

  it('keeps a share within 0 and 1', () => {
    expect(load('vllm:kv_cache_usage_perc 1.0000001').kvCacheUse).toBe(1);
  });
});

describe('metricsAddresses', () => {
  const places = (base: string, engine: string | null) =>
    metricsAddresses(new URL(base), engine === null ? null : engineNamed(engine)).map(
      (address) => address.href,
    );

  it('knows where each engine has them', () => {
    expect(places('http://gpu:8000/v1', 'vLLM')).toEqual(['http://gpu:8000/metrics']);
    expect(places('http://gpu:8000/x/v1', null)).toEqual(['http://gpu:8000/x/metrics']);
    expect(places('http://gpu:8000', 'TensorRT-LLM')).toEqual(['http://gpu:8000/prometheus/metrics']);
    expect(places('http://gpu:8000', 'Triton')).toEqual([
      'http://gpu:8002/metrics',
      'http://gpu:8000/metrics',
    ]);
    expect(places('http://gpu:11434', 'Ollama')).toEqual([]);
  });
});

describe('the adapters at work', () => {
  const info = (running: string, waiting: string, at: number, slots = '2') =>
    `vllm:lora_requests_info{max_lora="${slots}",running_lora_adapters="${running}",waiting_lora_adapters="${waiting}"} ${at}\n`;

  it('are those of the latest sample, running or waiting', () => {
    const page = VLLM + info('old', '', 10) + info('sql,code', 'law, sql', 1.7e9) + info('', 'older', 5);
    expect(load(page, 'vLLM').adapters).toEqual({ names: ['sql', 'code', 'law'], slots: 2 });
    // The time has seconds only: what is told of the same second was at work in it.
    expect(load(VLLM + info('', '', 9) + info('sql', '', 9), 'vLLM').adapters?.names).toEqual(['sql']);
    expect(load(VLLM + info('', '', 1), 'vLLM').adapters).toEqual({ names: [], slots: 2 });
  });

  it('are unknown where the engine tells none, or no number of slots', () => {
    expect(load(VLLM, 'vLLM')).not.toHaveProperty('adapters');
    for (const slots of ['', 'many', '0', '-1'])
      expect(load(VLLM + info('sql', '', 1, slots), 'vLLM')).not.toHaveProperty('adapters');
    expect(load(VLLM + info('sql', '', Number.NaN), 'vLLM')).not.toHaveProperty('adapters');
  });
});
