/** Learns the lexical embedding from texts: counts features, chooses terms, finds their directions and weights them. */
import { inOrder } from '../../../../core/tasks.ts';
import { labelsOf } from '../../../clustering/distances.ts';
import { kMeans } from '../../../clustering/kmeans.ts';
import { distinctPoints } from '../../../clustering/points.ts';
import type { Learned, LearningTexts } from '../../embedding.ts';
import { quantiseRows } from '../rows.ts';
import { lexicalEmbedding } from '../section.ts';
import type { Terms } from '../terms.ts';
import type { CountChunk } from './counts.ts';
import { FrequencyTable } from './frequency-table.ts';
import { weightByRelevance } from './relevance.ts';
import { blocksOf, type Svd, truncatedSvd } from './svd.ts';
import { countFeatures, countTerms, multiply } from './tasks.ts';
import { chooseVocabulary, type Vocabulary } from './vocabulary.ts';

export async function learnLexical(from: LearningTexts): Promise<Learned> {
  const table = await countAll(from);
  const vocabulary = chooseVocabulary(table, from.count, { size: from.vocabulary });
  const chunks = await countsOf(from, vocabulary);
  const { terms, cosine } = await findDirections(from, vocabulary, chunks);
  const weighted = await reweight(from, terms, chunks);
  return {
    embedding: lexicalEmbedding(weighted),
    facts: {
      'different features': table.size,
      terms: terms.hashes.length,
      'cosine after rounding to bytes': Number(cosine.toFixed(6)),
    },
  };
}

async function countAll({ batches, tasks, onProgress }: LearningTexts): Promise<FrequencyTable> {
  const table = new FrequencyTable();
  await inOrder(
    tasks,
    batches.length,
    (index) => tasks.run(countFeatures, batches[index]!),
    ({ hashes, counts }, index) => {
      for (let at = 0; at < hashes.length; at += 1) table.add(hashes[at]!, counts[at]!);
      onProgress('counting', index + 1, batches.length);
    },
  );
  return table;
}

async function countsOf(
  { batches, tasks, onProgress }: LearningTexts,
  vocabulary: Vocabulary,
): Promise<readonly CountChunk[]> {
  const chunks: CountChunk[] = [];
  await inOrder(
    tasks,
    batches.length,
    (index) => tasks.run(countTerms, { batch: batches[index]!, vocabulary }),
    (chunk, index) => {
      chunks.push(chunk);
      onProgress('vectors', index + 1, batches.length);
    },
  );
  return chunks;
}

/** `cosine` is the mean cosine between directions before and after rounding to bytes, weighted by their lengths. */
async function findDirections(
  { tasks, random, dimensions, onProgress }: LearningTexts,
  { hashes, weights, fittingWeights, unknownWeights }: Vocabulary,
  chunks: readonly CountChunk[],
): Promise<{ readonly terms: Terms; readonly cosine: number }> {
  const blocks = blocksOf(chunks);
  const svd = await truncatedSvd(
    hashes.length,
    dimensions,
    random.fork('projection'),
    (q, width, last) =>
      Promise.all(
        blocks.map((block) =>
          tasks.run(multiply, { chunks: block, weights: fittingWeights, q, width, last }),
        ),
      ),
    (done, total) => onProgress('projection', done, total),
  );
  const width = Math.max(1, svd.rank);
  const directions = termDirections(svd);
  const { values, scales } = quantiseRows(directions, width);
  return {
    terms: { dimensions: width, hashes, weights, unknownWeights, rows: values, scales },
    cosine: meanCosine(directions, values, width),
  };
}

/** Clusters of a first round that shows which terms separate topics: enough for most corpora. */
const FIRST_CLUSTERS = 64;

async function reweight(from: LearningTexts, terms: Terms, chunks: readonly CountChunk[]): Promise<Terms> {
  const { tasks, random } = from;
  const points = await from.embedAll(lexicalEmbedding(terms));
  const clusters = distinctPoints(points, FIRST_CLUSTERS);
  const options = { clusters, restarts: 1, maxIterations: 30, tolerance: 1e-3 };
  const { centroids } = await kMeans(points, options, random.fork('relevance'), tasks);
  return weightByRelevance(terms, chunks, labelsOf(points, centroids), clusters);
}

/**
 * Every term's direction: its row of V, each dimension scaled by the root of its singular value, then normalised.
 * Without normalising, a rare word, whose row is short, would hardly count beside common ones (as in the averages of
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
