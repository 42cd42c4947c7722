/**
 * Which metrics tell an engine's load, and what they add up to: one table, and one pure function over a page that
 * was read. It asks nobody.
 *
 * Names and labels: vLLM vllm/v1/metrics/loggers.py; SGLang python/sglang/srt/metrics/collector.py; llama.cpp
 * tools/server/server.cpp; TGI router/src/server.rs; TensorRT-LLM tensorrt_llm/metrics/collector.py; TensorRT-LLM's
 * Triton backend custom_metrics_reporter.cc; Triton core docs/user_guide/metrics.md.
 */
import type { Engine, ReportedLoad } from './engine.ts';
import type { MetricsPage, Sample } from './prometheus.ts';

interface Signal {
  /** The first that the page has counts: the present name before those of older versions. */
  readonly names: readonly string[];
  /** Labels a sample must have, where one name counts several things. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Over several samples: `sum` of what stand for different requests, `max` of what report the same requests each,
   * `mean` of shares of equal caches.
   */
  readonly over: 'sum' | 'max' | 'mean';
}

interface LoadSource {
  readonly engine: Engine;
  readonly running: Signal | null;
  readonly waiting: Signal | null;
  readonly kvCacheUse: Signal | null;
  /** The label that names the model, or null where samples are not told apart by it. */
  readonly modelLabel: string | null;
}

const one = (over: Signal['over'], ...names: string[]): Signal => ({ names, over });

/** In order of trust: of an engine with two lines the first that tells a value counts. */
export const LOAD_SOURCES: readonly LoadSource[] = [
  {
    engine: 'vLLM', // label `engine` numbers the data-parallel ranks, each with requests and a cache of its own
    running: one('sum', 'vllm:num_requests_running'),
    waiting: one('sum', 'vllm:num_requests_waiting'),
    kvCacheUse: one('mean', 'vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'),
    modelLabel: 'model_name',
  },
  {
    engine: 'SGLang', // labels `tp_rank`, `pp_rank`, `moe_ep_rank`: ranks that report the same requests
    running: one('max', 'sglang:num_running_reqs'),
    waiting: one('max', 'sglang:num_queue_reqs'),
    kvCacheUse: one('max', 'sglang:token_usage'),
    modelLabel: 'model_name',
  },
  {
    engine: 'TensorRT-LLM',
    running: one('sum', 'trtllm_num_requests_running'),
    waiting: one('sum', 'trtllm_num_requests_waiting'),
    kvCacheUse: one('mean', 'trtllm_kv_cache_utilization'),
    modelLabel: 'model_name',
  },
  {
    engine: 'Triton', // the TensorRT-LLM backend in C++
    running: {
      names: ['nv_trt_llm_request_metrics'],
      labels: { request_type: 'active' },
      over: 'sum',
    },
    waiting: {
      names: ['nv_trt_llm_request_metrics'],
      labels: { request_type: 'waiting' },
      over: 'sum',
    },
    kvCacheUse: {
      names: ['nv_trt_llm_kv_cache_block_metrics'],
      labels: { kv_cache_block_type: 'fraction' },
      over: 'mean',
    },
    modelLabel: 'model',
  },
  {
    // Triton itself, whatever the backend. Not by model: what an ensemble has pending is counted at its steps, which
    // bear other names. One of several instances on several GPUs each has a sample.
    engine: 'Triton',
    running: null,
    waiting: one('sum', 'nv_inference_pending_request_count'),
    kvCacheUse: null,
    modelLabel: null,
  },
  {
    engine: 'llama.cpp',
    running: one('sum', 'llamacpp:requests_processing'),
    waiting: one('sum', 'llamacpp:requests_deferred'),
    kvCacheUse: one('max', 'llamacpp:kv_cache_usage_ratio'), // exported until the middle of 2025
    modelLabel: null,
  },
  {
    engine: 'TGI', // tgi_batch_current_max_tokens counts tokens and tells no share
    running: one('sum', 'tgi_batch_current_size'),
    waiting: one('sum', 'tgi_queue_size'),
    kvCacheUse: null,
    modelLabel: null,
  },
];

const SIGNALS = ['running', 'waiting', 'kvCacheUse'] as const;

/** Every metric of the table: what a reader of a page needs to keep. */
export const LOAD_METRICS: ReadonlySet<string> = new Set(LOAD_SOURCES.flatMap(namesOf));

/**
 * The load that a page tells. A signal whose metrics the page lacks, or has without a number, is null.
 * @param engine reads its lines of the table alone; an engine without lines, or none, is looked for in all
 * @param model counts samples of this model alone, where the page tells models apart and has it; else all of them
 */
export function loadFrom(page: MetricsPage, engine?: string | null, model?: string | null): ReportedLoad {
  const sources = sourcesOf(engine);
  const value = (signal: (typeof SIGNALS)[number]): number | null => {
    for (const source of sources) {
      const found = source[signal] && readSignal(page, source[signal], source.modelLabel, model ?? null);
      if (found !== null) return found;
    }
    return null;
  };
  const kvCacheUse = value('kvCacheUse');
  return {
    running: value('running'),
    waiting: value('waiting'),
    kvCacheUse: kvCacheUse === null ? null : Math.min(1, kvCacheUse),
  };
}

/** Whether anything is known at all. */
export function tellsLoad(load: ReportedLoad): boolean {
  return SIGNALS.some((signal) => load[signal] !== null);
}

/** The metrics looked for at an engine, for messages; all of the table's for one without lines. */
export function metricsOf(engine: string | null): readonly string[] {
  return [...new Set(sourcesOf(engine).flatMap(namesOf))];
}

function sourcesOf(engine: string | null | undefined): readonly LoadSource[] {
  const own = LOAD_SOURCES.filter((source) => source.engine === engine);
  return own.length > 0 ? own : LOAD_SOURCES;
}

function namesOf(source: LoadSource): string[] {
  return SIGNALS.flatMap((signal) => source[signal]?.names ?? []);
}

function readSignal(
  { samples }: MetricsPage,
  { names, labels = {}, over }: Signal,
  modelLabel: string | null,
  model: string | null,
): number | null {
  for (const name of names) {
    const fitting = samples.filter(
      (sample) =>
        sample.name === name &&
        Number.isFinite(sample.value) &&
        sample.value >= 0 &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    if (fitting.length > 0) return combined(ofModel(fitting, modelLabel, model), over);
  }
  return null;
}

function ofModel(samples: readonly Sample[], label: string | null, model: string | null): readonly Sample[] {
  if (label === null || model === null) return samples;
  const own = samples.filter((sample) => sample.labels[label] === model);
  return own.length > 0 ? own : samples;
}

function combined(samples: readonly Sample[], over: Signal['over']): number {
  const values = samples.map((sample) => sample.value);
  if (over === 'max') return Math.max(...values);
  const sum = values.reduce((total, value) => total + value, 0);
  return over === 'sum' ? sum : sum / values.length;
}
