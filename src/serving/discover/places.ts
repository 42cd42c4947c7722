/** Where experts are looked for when nobody names any: the usual ports of engines, and the usual variables of clouds. */

/** A port of this machine. */
export interface Place {
  /** `http://…`, or `grpc://…` where Triton's gRPC is looked for. */
  readonly address: string;
  /** Who listens there unless told otherwise. */
  readonly usually: string;
}

export const LOCAL_PLACES: readonly Place[] = [
  { address: 'http://127.0.0.1:11434', usually: 'Ollama' },
  { address: 'http://127.0.0.1:8000', usually: 'vLLM, trtllm-serve or Triton' },
  { address: 'grpc://127.0.0.1:8001', usually: 'Triton over gRPC' },
  { address: 'http://127.0.0.1:30000', usually: 'SGLang' },
  { address: 'http://127.0.0.1:8080', usually: 'llama-server' },
];

/** A service that is paid by the token, and the variable that usually holds its key. */
export interface Cloud {
  readonly variable: string;
  readonly kind: 'openai' | 'anthropic';
  readonly url: string;
}

export const CLOUDS: readonly Cloud[] = [
  { variable: 'OPENAI_API_KEY', kind: 'openai', url: 'https://api.openai.com/v1' },
  { variable: 'ANTHROPIC_API_KEY', kind: 'anthropic', url: 'https://api.anthropic.com' },
  {
    variable: 'GEMINI_API_KEY',
    kind: 'openai',
    url: 'https://generativelanguage.googleapis.com/v1beta/openai',
  },
  { variable: 'MISTRAL_API_KEY', kind: 'openai', url: 'https://api.mistral.ai/v1' },
  { variable: 'DEEPSEEK_API_KEY', kind: 'openai', url: 'https://api.deepseek.com/v1' },
  { variable: 'XAI_API_KEY', kind: 'openai', url: 'https://api.x.ai/v1' },
  { variable: 'GROQ_API_KEY', kind: 'openai', url: 'https://api.groq.com/openai/v1' },
  { variable: 'TOGETHER_API_KEY', kind: 'openai', url: 'https://api.together.xyz/v1' },
  { variable: 'FIREWORKS_API_KEY', kind: 'openai', url: 'https://api.fireworks.ai/inference/v1' },
  { variable: 'CEREBRAS_API_KEY', kind: 'openai', url: 'https://api.cerebras.ai/v1' },
  { variable: 'NVIDIA_API_KEY', kind: 'openai', url: 'https://integrate.api.nvidia.com/v1' },
  { variable: 'OPENROUTER_API_KEY', kind: 'openai', url: 'https://openrouter.ai/api/v1' },
];
