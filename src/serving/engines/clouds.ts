/** Services paid by the token. They are known by their host and never probed. */
import type { EngineFacts } from './engine.ts';

const NO_CREDIT =
  'the rate limit is reached or the account has no credit: see the account, or ask again later';

const CHAT = ['openai-chat'] as const;
const BOTH = ['openai-chat', 'openai-completions'] as const;

function cloud(
  id: string,
  name: string,
  variable: string,
  url: string,
  speaks: EngineFacts['speaks'] = CHAT,
): EngineFacts {
  return {
    id,
    name,
    speaks,
    cures: { 'status 429': NO_CREDIT },
    cloud: { variable, kind: 'openai', url },
  };
}

export const CLOUDS: readonly EngineFacts[] = [
  {
    ...cloud('openai', 'OpenAI', 'OPENAI_API_KEY', 'https://api.openai.com/v1'),
    speaks: ['openai-chat', 'openai-completions', 'openai-responses', 'openai-input-tokens'],
    capabilities: ['embeddings'],
    // Its newer models refuse `max_tokens`.
    quirks: { limit: 'max_completion_tokens' },
  },
  {
    id: 'anthropic',
    name: 'Anthropic',
    speaks: ['anthropic-messages', 'anthropic-count-tokens'],
    cures: { 'status 429': NO_CREDIT },
    cloud: { variable: 'ANTHROPIC_API_KEY', kind: 'anthropic', url: 'https://api.anthropic.com' },
  },
  cloud('gemini', 'Gemini', 'GEMINI_API_KEY', 'https://generativelanguage.googleapis.com/v1beta/openai'),
  cloud('mistral', 'Mistral', 'MISTRAL_API_KEY', 'https://api.mistral.ai/v1'),
  cloud('deepseek', 'DeepSeek', 'DEEPSEEK_API_KEY', 'https://api.deepseek.com/v1'),
  cloud('xai', 'xAI', 'XAI_API_KEY', 'https://api.x.ai/v1', BOTH),
  cloud('groq', 'Groq', 'GROQ_API_KEY', 'https://api.groq.com/openai/v1'),
  cloud('together', 'Together', 'TOGETHER_API_KEY', 'https://api.together.xyz/v1', BOTH),
  cloud('fireworks', 'Fireworks', 'FIREWORKS_API_KEY', 'https://api.fireworks.ai/inference/v1', BOTH),
  cloud('cerebras', 'Cerebras', 'CEREBRAS_API_KEY', 'https://api.cerebras.ai/v1', BOTH),
  cloud('nvidia', 'NVIDIA', 'NVIDIA_API_KEY', 'https://integrate.api.nvidia.com/v1', BOTH),
  cloud('openrouter', 'OpenRouter', 'OPENROUTER_API_KEY', 'https://openrouter.ai/api/v1', BOTH),
];
