/** Even draws from a store of prompts, in the store's order. Knows nothing of what is drawn for. */
import type { Random } from '../../core/random.ts';
import { BATCH, type PackedBatch, type PromptStore, packBatch, unpackBatch } from './prompt-store.ts';

export interface Drawn {
  readonly batches: readonly PackedBatch[];
  readonly count: number;
}

/** All prompts, or that many of them where there are more. */
export async function drawPrompts(store: PromptStore, most: number, random: Random): Promise<Drawn> {
  const batches: PackedBatch[] = [];
  if (store.count <= most) {
    for (let index = 0; index < store.batches; index += 1) batches.push(await store.read(index));
    return { batches, count: store.count };
  }
  let left = store.count;
  let wanted = most;
  let pending: string[] = [];
  for (let index = 0; index < store.batches; index += 1) {
    for (const prompt of unpackBatch(await store.read(index))) {
      // Selection sampling (Knuth, TAOCP 3.4.2, algorithm S): exactly `most`, each equally likely.
      if (random.next() * left < wanted) {
        pending.push(prompt);
        wanted -= 1;
      }
      left -= 1;
    }
    while (pending.length >= BATCH) {
      batches.push(packBatch(pending.slice(0, BATCH)));
      pending = pending.slice(BATCH);
    }
  }
  if (pending.length > 0) batches.push(packBatch(pending));
  return { batches, count: most };
}

/** The drawn prompts one by one, unpacking a batch at a time. */
export function* promptsIn(batches: readonly PackedBatch[]): Generator<string> {
  for (const batch of batches) yield* unpackBatch(batch);
}
