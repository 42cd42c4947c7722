/** llama.cpp's server: tools/server/server.cpp. */

import { count, field, MODELS } from './answers.ts';
import { isAnswer } from './ask.ts';
import { type EngineFacts, type ModelTraits, signal } from './engine.ts';

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
    of: (page) => ({ ...inputs(page), ...capabilities(page) }),
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

type Page = Readonly<Record<string, unknown>>;

function inputs({ modalities }: Page): ModelTraits {
  const { vision, audio } = (modalities ?? {}) as { vision?: unknown; audio?: unknown };
  if (typeof vision !== 'boolean') return {};
  return {
    takes: ['text', ...(vision ? ['image' as const] : []), ...(audio === true ? ['audio' as const] : [])],
  };
}

/** Words by which templates deal with thinking: Qwen's and DeepSeek's, gpt-oss's, and others'. */
const THINKS = /enable_thinking|<\/?think|reasoning|thinking|analysis/;

/** What the chat template can say (common/jinja/caps.h): tools that it cannot are left out of the prompt without a word. */
function capabilities({ chat_template: template, chat_template_caps: told }: Page): ModelTraits {
  const caps = (told ?? {}) as Page;
  const { supports_tools: tools, supports_tool_calls: calls, supports_preserve_reasoning: thoughts } = caps;
  const thinks = thoughts === true || (typeof template === 'string' ? THINKS.test(template) : undefined);
  return {
    ...(typeof tools === 'boolean' ? { tools: tools && calls !== false } : {}),
    ...(template === '' || thinks === undefined ? {} : { thinking: thinks }),
  };
}
