/** The known engines, one line and one file each. */
import { CLOUDS } from './clouds.ts';
import type { EngineFacts } from './engine.ts';
import { emulator, expertRouter } from './expert-router.ts';
import { llamaServer } from './llama-server.ts';
import { ollama } from './ollama.ts';
import { sglang } from './sglang.ts';
import { tgi } from './tgi.ts';
import { triton } from './triton.ts';
import { trtllm } from './trtllm.ts';
import { vllm } from './vllm.ts';

/** `discover` looks for them in this order. */
export const ENGINES: readonly EngineFacts[] = [
  ollama,
  vllm,
  trtllm,
  triton,
  sglang,
  llamaServer,
  tgi,
  expertRouter,
  emulator,
  ...CLOUDS,
];

export function engineNamed(name: string): EngineFacts | null {
  return ENGINES.find((engine) => engine.name === name) ?? null;
}
