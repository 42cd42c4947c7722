/**
 * How much each term says about the topic, learned without labels or stop lists, in any language: terms concentrated in
 * few clusters of a first clustering weigh more than terms found everywhere.
 */
import type { Terms } from '../terms.ts';
import type { CountChunk } from './counts.ts';

/** Pseudo-prompts added to each term, distributed as all prompts are, because rare terms prove little. */
const PRIOR = 8;
/** Lowest weight, relative to the most informative term's. */
const LEAST = 0.05;

/**
 * The same terms, each weight multiplied by the root of the Kullback–Leibler divergence between the term's clusters and
 * those of all prompts, relative to the largest possible one. `labels[i]` is the first cluster of row i over all
 * chunks.
 */
export function weightByRelevance(
  terms: Terms,
  chunks: readonly CountChunk[],
  labels: Uint32Array,
  clusters: number,
): Terms {
  const factors = relevances(chunks, labels, clusters, terms.hashes.length);
  let mean = 0;
  for (const factor of factors) mean += factor / factors.length;
  return {
    ...terms,
    weights: terms.weights.map((weight, term) => weight * factors[term]!),
    unknownWeights: terms.unknownWeights.map((weight) => weight * mean),
  };
}

/** Per term, from `LEAST` for one spread evenly to 1 for one found in a single small cluster. */
export function relevances(
  chunks: readonly CountChunk[],
  labels: Uint32Array,
  clusters: number,
  terms: number,
): Float32Array {
  const inCluster = new Float32Array(terms * clusters);
  const sizes = new Float64Array(clusters);
  let row = 0;
  for (const chunk of chunks) {
    for (let own = 0; own < chunk.rows; own += 1) {
      const label = labels[row]!;
      sizes[label]! += 1;
      for (let entry = chunk.offsets[own]!; entry < chunk.offsets[own + 1]!; entry += 1) {
        inCluster[chunk.terms[entry]! * clusters + label]! += 1;
      }
      row += 1;
    }
  }
  const most = Math.log(Math.max(2, clusters));
  return Float32Array.from({ length: terms }, (_, term) => {
    const counts = inCluster.subarray(term * clusters, (term + 1) * clusters);
    return Math.max(LEAST, Math.sqrt(Math.min(1, Math.max(0, divergence(counts, sizes, row)) / most)));
  });
}

/** Kullback–Leibler divergence; 0 for a term spread evenly, where rounding may leave it slightly below. */
function divergence(counts: Float32Array, sizes: Float64Array, rows: number): number {
  let total = PRIOR;
  for (const count of counts) total += count;
  let sum = 0;
  for (let cluster = 0; cluster < counts.length; cluster += 1) {
    const usual = sizes[cluster]! / rows;
    if (usual === 0) continue;
    const own = (counts[cluster]! + PRIOR * usual) / total;
    sum += own * Math.log(own / usual);
  }
  return sum;
}
