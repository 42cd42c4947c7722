/** TensorRT-LLM's own server, `trtllm-serve`. Metrics: tensorrt_llm/metrics/collector.py. */
import { field } from './answers.ts';
import { type EngineFacts, signal } from './engine.ts';

export const trtllm: EngineFacts = {
  id: 'trtllm',
  name: 'TensorRT-LLM',
  speaks: ['openai-chat', 'openai-completions', 'openai-responses'],
  signs: {
    ownedBy: ['tensorrt_llm'],
    pages: ['/version'],
    version: (answers) => field(answers, '/version', 'version'),
  },
  ports: [{ port: 8000, protocol: 'http' }],
  metrics: {
    // Its /metrics is a queue of statistics that reading empties, so it is never read.
    pages: [{ path: '/prometheus/metrics' }],
    load: [
      {
        running: signal('sum', 'trtllm_num_requests_running'),
        waiting: signal('sum', 'trtllm_num_requests_waiting'),
        kvCacheUse: signal('mean', 'trtllm_kv_cache_utilization'),
        modelLabel: 'model_name',
      },
    ],
    cure: 'set return_perf_metrics: true and enable_iter_perf_stats: true in the file of trtllm-serve --config',
  },
  quirks: {},
  cures: {
    'status 400': 'see its message; trtllm-serve refuses fields that it does not know, such as store',
  },
};
