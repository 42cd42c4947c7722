/** Quirks: openai/openai.go. */
import { count, field } from './answers.ts';
import { jsonOf } from './ask.ts';
import type { Call, EngineFacts } from './engine.ts';

export const ollama: EngineFacts = {
  id: 'ollama',
  name: 'Ollama',
  speaks: [
    'openai-chat',
    'openai-completions',
    'openai-responses',
    'anthropic-messages',
    'ollama-chat',
    'ollama-generate',
    'ollama-embed',
    'ollama-embeddings',
  ],
  capabilities: ['embeddings'],
  signs: {
    pages: ['/api/version'],
    // It does not name itself: a version alone at this path is its only sign.
    maybe: (answers) =>
      field(answers, '/api/version', 'version') !== null &&
      Object.keys(jsonOf(answers['/api/version'])!).length === 1,
    version: (answers) => field(answers, '/api/version', 'version'),
  },
  // As it is loaded now; what /api/show tells is the most that the model could have.
  context: {
    path: '/api/ps',
    of: (page, model) => count(running(page, model)?.context_length),
  },
  loading: {
    // For ever, which is until it is unloaded.
    load: (model, adapter) => (adapter === null ? keptAlive(model, -1) : null),
    unload: (model, adapter) => (adapter === null ? keptAlive(model, 0) : null),
    loaded: { path: '/api/ps', has: (page, model) => running(page, model) !== undefined },
  },
  traits: {
    path: '/api/show',
    question: (model) => ({ model }),
    of: ({ capabilities }) => {
      if (!Array.isArray(capabilities)) return {};
      const has = (name: string): boolean => capabilities.includes(name);
      return {
        takes: [
          'text',
          ...(has('vision') ? ['image' as const] : []),
          ...(has('audio') ? ['audio' as const] : []),
        ],
        tools: has('tools'),
        thinking: has('thinking'),
      };
    },
  },
  ports: [{ port: 11_434, protocol: 'http' }],
  metrics: { pages: [], load: [], cure: 'Ollama has none' },
  // It ignores `max_completion_tokens` and answers without a limit.
  quirks: { limit: 'max_tokens' },
  cures: {
    'wrong-model': 'set model to one of these, or fetch it: ollama pull MODEL',
    'status 404': 'fetch the model: ollama pull MODEL',
  },
};

/** A request without a prompt loads or unloads (docs/api.md). */
function keptAlive(model: string, keep_alive: number): Call {
  return { path: '/api/generate', json: { model, keep_alive } };
}

type Running = { readonly model?: unknown; readonly context_length?: unknown };

function running({ models }: Readonly<Record<string, unknown>>, model: string): Running | undefined {
  const loaded: readonly (Running | null)[] = Array.isArray(models) ? models : [];
  return loaded.find((one) => namesOf(model).includes(one?.model as string)) ?? undefined;
}

/** A model without a tag is the latest. */
function namesOf(model: string): readonly string[] {
  return [model, `${model}:latest`];
}
