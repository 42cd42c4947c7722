/**
 * From prompts to the terms of a model: counts features, chooses the vocabulary and fits the projection. It knows
 * nothing of clusters.
 */
import type { Random } from '../../core/random.ts';
import { quantiseRows } from '../../deciding/embedding/quantise.ts';
import type { CountChunk, Projection } from '../../deciding/embedding/sparse.ts';
import { blocksOf, type Svd, truncatedSvd } from '../../deciding/embedding/svd.ts';
import { FrequencyTable } from './frequency-table.ts';
import { inOrder, type Pool } from './pool.ts';
import type { PackedBatch } from './prompt-store.ts';
import { chooseVocabulary, type Vocabulary } from './vocabulary.ts';

export interface FittedTerms {
  readonly vocabulary: Vocabulary;
  readonly projection: Projection;
  readonly chunks: readonly CountChunk[];
  /** Of every fitted direction, falling. */
  readonly singularValues: Float64Array;
  /** Different features counted, before any was left out. */
  readonly features: number;
  /** Mean cosine between rows before and after rounding to bytes, weighted by row length. */
  readonly quantisation: number;
}

export interface TermOptions {
  readonly vocabulary: number;
  readonly dimensions: number;
}

export type OnProgress = (done: number, total: number) => void;

export async function fitTerms(
  batches: readonly PackedBatch[],
  prompts: number,
  options: TermOptions,
  random: Random,
  pool: Pool,
  on: { counted: OnProgress; vectorised: OnProgress; projected: OnProgress },
): Promise<FittedTerms> {
  const table = new FrequencyTable();
  await inOrder(
    pool,
    batches.length,
    (index) => pool.run('countFeatures', { batch: batches[index]! }),
    ({ hashes, counts }, index) => {
      for (let at = 0; at < hashes.length; at += 1) table.add(hashes[at]!, counts[at]!);
      on.counted(index + 1, batches.length);
    },
  );
  const vocabulary = chooseVocabulary(table, prompts, { size: options.vocabulary });
  const chunks: CountChunk[] = [];
  await inOrder(
    pool,
    batches.length,
    (index) => pool.run('vectorise', { batch: batches[index]!, vocabulary }),
    (chunk, index) => {
      chunks.push(chunk);
      on.vectorised(index + 1, batches.length);
    },
  );
  const blocks = blocksOf(chunks);
  const { weights, fittingWeights } = vocabulary;
  const svd = await truncatedSvd(
    vocabulary.hashes.length,
    options.dimensions,
    random,
    (q, width, last) =>
      Promise.all(
        blocks.map((block) =>
          pool.run('multiply', { chunks: block, weights: fittingWeights, q, width, last }),
        ),
      ),
    on.projected,
  );
  const dimensions = Math.max(1, svd.rank);
  const directions = termDirections(svd);
  const { values, scales } = quantiseRows(directions, dimensions);
  return {
    vocabulary,
    projection: { weights, rows: values, scales, dimensions },
    chunks,
    singularValues: svd.values,
    features: table.size,
    quantisation: meanCosine(directions, values, dimensions),
  };
}

/**
 * Every term's direction: its row of V, each dimension stretched by the root of its singular value, at unit length.
 * Without the unit length a rare word, whose row is short, would hardly count beside common ones (as in the averages of
 * word vectors of Arora et al., ICLR 2017, a term's weight is its idf alone).
 */
function termDirections({ vectors, values, rank }: Svd): Float32Array {
  const stretch = values.map(Math.sqrt);
  const directions = new Float32Array(vectors.length);
  for (let start = 0; start < vectors.length; start += rank) {
    let squared = 0;
    for (let j = 0; j < rank; j += 1) squared += (vectors[start + j]! * stretch[j]!) ** 2;
    const length = Math.sqrt(squared);
    if (length < 1e-12) continue;
    for (let j = 0; j < rank; j += 1) directions[start + j] = (vectors[start + j]! * stretch[j]!) / length;
  }
  return directions;
}

function meanCosine(rows: Float32Array, bytes: Int8Array, width: number): number {
  let sum = 0;
  let weight = 0;
  for (let start = 0; start < rows.length; start += width) {
    let dot = 0;
    let own = 0;
    let other = 0;
    for (let at = start; at < start + width; at += 1) {
      dot += rows[at]! * bytes[at]!;
      own += rows[at]! ** 2;
      other += bytes[at]! ** 2;
    }
    if (own === 0 || other === 0) continue;
    sum += dot / Math.sqrt(other);
    weight += Math.sqrt(own);
  }
  return weight === 0 ? 1 : sum / weight;
}
