/** The engines that are known by name, and what one of them says of itself. Data; it asks nobody. */

export const ENGINES = [
  'vLLM',
  'SGLang',
  'TensorRT-LLM',
  'Triton',
  'llama.cpp',
  'Ollama',
  'TGI',
  'Expert Router',
  'Expert Router emulator',
] as const;

/** `TensorRT-LLM` is trtllm-serve; its models behind Triton are `Triton`. */
export type Engine = (typeof ENGINES)[number];

/** The load as the engine itself counts it, whoever causes it; null for what it does not say. */
export interface ReportedLoad {
  /** Requests in its batch. */
  readonly running: number | null;
  /** Requests that wait for a place in it. */
  readonly waiting: number | null;
  /** Share of the KV cache in use, 0 to 1. */
  readonly kvCacheUse: number | null;
}

/** What the engine behind an expert is, as far as it tells. */
export interface EngineDescription {
  /** Such as `vLLM`, `SGLang`, `Triton`. */
  readonly engine: string;
  readonly version: string | null;
  /** How it is spoken to, where there are several ways. */
  readonly dialect: string | null;
  /** Models it serves, by the names it takes. */
  readonly models: readonly string[];
  /** Where its load is read, or null when nowhere. */
  readonly metrics: string | null;
}
