/** The kind `llama` as the registry lists it. */
import type { ExpertKind } from '../kind.ts';
import { LlamaExpert } from './llama-expert.ts';
import { ModelShelf } from './loaded-model.ts';
import { type LlamaOptions, llamaOptions } from './options.ts';

/** One shelf of loaded weights per kind value; the product uses the one below, tests make their own. */
export function createLlamaKind(): ExpertKind<LlamaOptions> {
  const shelf = new ModelShelf();
  return {
    kind: 'llama',
    summary: 'a GGUF model run by llama.cpp inside this process; experts with the same weights share them',
    options: llamaOptions,
    // Experts that share weights share sequences, so the queue is the engine's, and on a CPU it can be long.
    inProcess: true,
    admission: { maxConcurrent: Number.POSITIVE_INFINITY, firstTokenMs: 600_000 },
    create: async (id, options, deps) => new LlamaExpert(id, options, await shelf.use(options, deps), deps),
  };
}

export const llamaKind = createLlamaKind();
