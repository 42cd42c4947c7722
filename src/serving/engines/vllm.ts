/** Metrics: vllm/v1/metrics/loggers.py. */
import { adapterCalls } from './adapter-calls.ts';
import { field } from './answers.ts';
import { type EngineFacts, signal } from './engine.ts';

export const vllm: EngineFacts = {
  id: 'vllm',
  name: 'vLLM',
  speaks: [
    'openai-chat',
    'openai-completions',
    'openai-responses',
    'anthropic-messages',
    'anthropic-count-tokens',
  ],
  capabilities: ['embeddings', 'rerank'],
  signs: {
    ownedBy: ['vllm'],
    pages: ['/version'],
    version: (answers) => field(answers, '/version', 'version'),
  },
  ports: [{ port: 8000, protocol: 'http' }],
  metrics: {
    pages: [{ path: '/metrics' }],
    load: [
      {
        // The label `engine` numbers the data-parallel ranks, each with requests and a cache of its own.
        running: signal('sum', 'vllm:num_requests_running'),
        waiting: signal('sum', 'vllm:num_requests_waiting'),
        kvCacheUse: signal('mean', 'vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'),
        modelLabel: 'model_name',
        adapters: {
          name: 'vllm:lora_requests_info',
          lists: ['running_lora_adapters', 'waiting_lora_adapters'],
          slots: 'max_lora',
        },
      },
    ],
    cure: 'vLLM serves them unless started with --disable-log-stats',
  },
  loading: adapterCalls('/v1/load_lora_adapter', '/v1/unload_lora_adapter'),
  // Its tokenizer rejects them.
  quirks: { refusesHalfSurrogates: true },
  cures: {
    'wrong-model': 'set model to one of these, or start vLLM with --served-model-name',
    'status 400': 'see its message; a model without a chat template needs vllm serve --chat-template FILE',
    unauthorized: "set api_key to vLLM's --api-key, as in api_key: ${NAME}",
  },
};
