/** Chooses which features become terms: the most frequent, without those that are rare or nearly everywhere. */

import { KINDS } from '../../../text/features.ts';
import { fittingWeight, termWeight } from '../weighting.ts';
import type { FrequencyTable } from './frequency-table.ts';

export interface Vocabulary {
  /** Most frequent first: their rows then lie together, which suits the processor's caches. */
  readonly hashes: Uint32Array;
  readonly weights: Float32Array;
  /** The weights used while directions are fitted. */
  readonly fittingWeights: Float32Array;
  /** Weight per kind of a feature outside of the vocabulary. */
  readonly unknownWeights: Float32Array;
}

export interface VocabularyOptions {
  readonly size: number;
  /** Features in fewer prompts than this are left out. */
  readonly leastPrompts?: number;
  /** Features in a larger share of the prompts than this are left out. */
  readonly mostShare?: number;
}

/** Corpora smaller than this keep even features found in every prompt: there is little else. */
const FEW = 10;

export function chooseVocabulary(
  table: FrequencyTable,
  prompts: number,
  options: VocabularyOptions,
): Vocabulary {
  const least = Math.max(1, Math.min(options.leastPrompts ?? 3, Math.floor(prompts / 20)));
  const most = prompts < FEW ? prompts : (options.mostShare ?? 0.5) * prompts;
  const { hashes, counts } = table.entries(least);
  let kept = Array.from(hashes.keys()).filter((index) => counts[index]! <= most);
  // A corpus of near-identical prompts would lose every term to the upper bound.
  if (kept.length === 0) kept = Array.from(hashes.keys());
  kept.sort((a, b) => counts[b]! - counts[a]! || hashes[a]! - hashes[b]!);
  kept.length = Math.min(kept.length, options.size);
  return {
    hashes: Uint32Array.from(kept, (index) => hashes[index]!),
    weights: Float32Array.from(kept, (index) => termWeight(hashes[index]! & 7, prompts, counts[index]!)),
    fittingWeights: Float32Array.from(kept, (index) =>
      fittingWeight(hashes[index]! & 7, prompts, counts[index]!),
    ),
    unknownWeights: Float32Array.from({ length: KINDS }, (_, kind) => termWeight(kind, prompts, least)),
  };
}
