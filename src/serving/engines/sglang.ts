/** Metrics: python/sglang/srt/metrics/collector.py. */
import { adapterCalls } from './adapter-calls.ts';
import { field } from './answers.ts';
import { type EngineFacts, signal } from './engine.ts';

export const sglang: EngineFacts = {
  id: 'sglang',
  name: 'SGLang',
  speaks: ['openai-chat', 'openai-completions', 'anthropic-messages', 'anthropic-count-tokens'],
  capabilities: ['embeddings', 'rerank'],
  signs: {
    ownedBy: ['sglang'],
    pages: ['/get_server_info'],
    is: (answers) => field(answers, '/get_server_info', 'model_path') !== null,
    version: (answers) => field(answers, '/get_server_info', 'version'),
  },
  ports: [{ port: 30_000, protocol: 'http' }],
  metrics: {
    pages: [{ path: '/metrics' }],
    load: [
      {
        // The labels `tp_rank`, `pp_rank` and `moe_ep_rank` number ranks that report the same requests.
        running: signal('max', 'sglang:num_running_reqs'),
        waiting: signal('max', 'sglang:num_queue_reqs'),
        kvCacheUse: signal('max', 'sglang:token_usage'),
        modelLabel: 'model_name',
      },
    ],
    cure: 'start SGLang with --enable-metrics',
  },
  // Its metrics tell how many adapters are in GPU memory, not which.
  loading: adapterCalls('/load_lora_adapter', '/unload_lora_adapter'),
  quirks: {},
  cures: {
    'wrong-model': 'set model to one of these, or start SGLang with --served-model-name',
    'status 400': 'see its message; a model without a chat template needs --chat-template',
    unauthorized: "set api_key to SGLang's --api-key, as in api_key: ${NAME}",
  },
};
