/**
 * Chooses which features become terms: counts in how many prompts each occurs and keeps the most frequent ones that
 * are neither rare nor everywhere. It knows nothing of projections or clusters.
 */
import { inverseDocumentFrequency, kindWeights } from '../embedding/weighting.ts';
import { extractFeatures, FeatureBuffer, normalise } from '../text/features.ts';
import { sampleText } from '../text/sampling.ts';

export interface Vocabulary {
  readonly hashes: Uint32Array;
  /** idf times kind factor. */
  readonly weights: Float32Array;
  readonly unknownWeights: Float32Array;
}

export interface VocabularyOptions {
  readonly size: number;
  /** Features in fewer prompts than this are left out. */
  readonly leastPrompts?: number;
  /** Features in a larger share of the prompts than this are left out. */
  readonly mostShare?: number;
}

export function chooseVocabulary(prompts: readonly string[], options: VocabularyOptions): Vocabulary {
  const frequencies = countPrompts(prompts);
  const least = Math.min(options.leastPrompts ?? 3, Math.max(1, Math.floor(prompts.length / 2)));
  const most = Math.max(1, (options.mostShare ?? 0.5) * prompts.length);
  const kept = [...frequencies].filter(
    ([, count]) => count >= least && (count <= most || prompts.length < 10),
  );
  kept.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  kept.length = Math.min(kept.length, options.size);
  kept.sort((a, b) => a[0] - b[0]);
  const factors = kindWeights();
  return {
    hashes: Uint32Array.from(kept, ([hash]) => hash),
    weights: Float32Array.from(
      kept,
      ([hash, count]) => factors[hash & 7]! * inverseDocumentFrequency(prompts.length, count),
    ),
    unknownWeights: Float32Array.from(
      factors,
      (factor) => factor * inverseDocumentFrequency(prompts.length, 0),
    ),
  };
}

function countPrompts(prompts: readonly string[]): Map<number, number> {
  const frequencies = new Map<number, number>();
  const features = new FeatureBuffer();
  for (const prompt of prompts) {
    extractFeatures(normalise(sampleText(prompt)), features);
    for (const hash of new Set(features.hashes.subarray(0, features.length))) {
      frequencies.set(hash, (frequencies.get(hash) ?? 0) + 1);
    }
  }
  return frequencies;
}
