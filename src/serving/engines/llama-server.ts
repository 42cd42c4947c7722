/** llama.cpp's server: tools/server/server.cpp. */

import { count, field, MODELS } from './answers.ts';
import { isAnswer } from './ask.ts';
import { type EngineFacts, signal } from './engine.ts';

export const llamaServer: EngineFacts = {
  id: 'llama.cpp',
  name: 'llama.cpp',
  speaks: ['openai-chat', 'openai-completions', 'anthropic-messages', 'anthropic-count-tokens'],
  capabilities: ['embeddings', 'rerank'],
  signs: {
    ownedBy: ['llamacpp'],
    pages: ['/props'],
    is: (answers) =>
      field(answers, '/props', 'build_info') !== null ||
      (isAnswer(answers[MODELS]) && answers[MODELS].headers.server === 'llama.cpp'),
    version: (answers) => field(answers, '/props', 'build_info'),
  },
  // Of one slot: --ctx-size is shared among them.
  context: {
    path: '/props',
    of: ({ default_generation_settings: settings }) => count((settings as { n_ctx?: unknown } | null)?.n_ctx),
  },
  traits: {
    path: '/props',
    of: ({ modalities }) => {
      const { vision, audio } = (modalities ?? {}) as { vision?: unknown; audio?: unknown };
      if (typeof vision !== 'boolean') return {};
      return {
        takes: ['text', ...(vision ? ['image' as const] : []), ...(audio === true ? ['audio' as const] : [])],
      };
    },
  },
  ports: [{ port: 8080, protocol: 'http' }],
  metrics: {
    pages: [{ path: '/metrics' }],
    load: [
      {
        running: signal('sum', 'llamacpp:requests_processing'),
        waiting: signal('sum', 'llamacpp:requests_deferred'),
        // Exported until the middle of 2025.
        kvCacheUse: signal('max', 'llamacpp:kv_cache_usage_ratio'),
        modelLabel: null,
      },
    ],
    cure: 'start llama-server with --metrics',
  },
  // Its JSON parser rejects them.
  quirks: { refusesHalfSurrogates: true },
  cures: {
    'status 400': 'see its message; a prompt that does not fit needs a larger --ctx-size',
    unauthorized: "set api_key to llama-server's --api-key, as in api_key: ${NAME}",
  },
};
