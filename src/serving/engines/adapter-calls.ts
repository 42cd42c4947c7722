/** LoRA adapters loaded and unloaded as vLLM and SGLang do it; neither loads another base model while it serves. */
import type { Loading } from './engine.ts';

export function adapterCalls(load: string, unload: string): Loading {
  return {
    load: (lora_name, lora_path) =>
      lora_path === null ? null : { path: load, json: { lora_name, lora_path } },
    unload: (lora_name, lora_path) => (lora_path === null ? null : { path: unload, json: { lora_name } }),
  };
}
