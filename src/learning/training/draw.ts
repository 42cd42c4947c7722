/** Uniform samples from a prompt store, in the store's order. */
import type { Random } from '../../core/random.ts';
import { packTexts, type TextBatch, unpackTexts } from '../../core/tasks.ts';
import { BATCH, type PromptStore } from './prompt-store.ts';

export interface Drawn {
  readonly batches: readonly TextBatch[];
  readonly count: number;
}

/** All prompts, or `most` of them if there are more. */
export async function drawPrompts(store: PromptStore, most: number, random: Random): Promise<Drawn> {
  const batches: TextBatch[] = [];
  if (store.count <= most) {
    for (let index = 0; index < store.batches; index += 1) batches.push(await store.read(index));
    return { batches, count: store.count };
  }
  let left = store.count;
  let wanted = most;
  let pending: string[] = [];
  for (let index = 0; index < store.batches; index += 1) {
    for (const prompt of unpackTexts(await store.read(index))) {
      // Selection sampling (Knuth, TAOCP 3.4.2, algorithm S): exactly `most`, each equally likely.
      if (random.next() * left < wanted) {
        pending.push(prompt);
        wanted -= 1;
      }
      left -= 1;
    }
    while (pending.length >= BATCH) {
      batches.push(packTexts(pending.slice(0, BATCH)));
      pending = pending.slice(BATCH);
    }
  }
  if (pending.length > 0) batches.push(packTexts(pending));
  return { batches, count: most };
}

/** The sampled prompts one by one, unpacking a batch at a time. */
export function* promptsIn(batches: readonly TextBatch[]): Generator<string> {
  for (const batch of batches) yield* unpackTexts(batch);
}
