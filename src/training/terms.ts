/**
 * From prompts to the terms of a model: counts features, chooses the vocabulary and fits the projection. It knows
 * nothing of clusters.
 */
import type { Random } from '../core/random.ts';
import { quantiseRows } from '../embedding/quantise.ts';
import type { CountChunk, Projection } from '../embedding/sparse.ts';
import { blocksOf, truncatedSvd } from '../embedding/svd.ts';
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
  const { weights } = vocabulary;
  const svd = await truncatedSvd(
    vocabulary.hashes.length,
    options.dimensions,
    random,
    (q, width) =>
      Promise.all(blocks.map((block) => pool.run('multiply', { chunks: block, weights, q, width }))),
    on.projected,
  );
  const dimensions = Math.max(1, svd.rank);
  const { values, scales } = quantiseRows(svd.vectors, dimensions);
  return {
    vocabulary,
    projection: { weights, rows: values, scales, dimensions },
    chunks,
    singularValues: svd.values,
    features: table.size,
    quantisation: meanCosine(svd.vectors, values, dimensions),
  };
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
