/**
 * From prompts to a router model: vocabulary, projection, clusters, names, calibration. It knows nothing of files or
 * terminals; equal prompts, options and seed give an equal model.
 */
import { kMeans, type Points } from '../clustering/kmeans.ts';
import { type Random, seededRandom } from '../core/random.ts';
import { quantiseRows } from '../embedding/quantise.ts';
import { type CountMatrix, CountMatrixBuilder, rowLengths } from '../embedding/sparse.ts';
import { multiplyHere, truncatedSvd, type WeightedMatrix } from '../embedding/svd.ts';
import { TermCounts } from '../embedding/term-counts.ts';
import { TermLookup } from '../embedding/term-lookup.ts';
import { contentId } from '../model/artefact.ts';
import { embed } from '../model/embed.ts';
import { type RouterModel, routerModel, type Terms } from '../model/router-model.ts';
import { extractFeatures, FeatureBuffer, normalise } from '../text/features.ts';
import { plainText } from '../text/routable.ts';
import { sampleText } from '../text/sampling.ts';
import { calibrate } from './calibrate.ts';
import type { Corpus } from './corpus.ts';
import { namesFrom, topTerms } from './names.ts';
import { chooseVocabulary, type Vocabulary } from './vocabulary.ts';

export interface FitOptions {
  readonly clusters: number;
  readonly dimensions: number;
  readonly vocabulary: number;
  readonly restarts: number;
  readonly seed: number;
  readonly onStage?: (stage: string) => void;
}

const HELD_OUT_SHARE = 0.1;
const HELD_OUT_MOST = 20_000;

export async function fitModel(corpus: Corpus, options: FitOptions): Promise<RouterModel> {
  const random = seededRandom(options.seed);
  const stage = options.onStage ?? (() => {});
  stage('vocabulary');
  const vocabulary = chooseVocabulary(corpus.prompts, { size: options.vocabulary });
  stage('projection');
  const terms = await fitTerms(corpus.prompts, vocabulary, options.dimensions, random.fork(1));
  stage('embedding');
  const dimensions = terms.hashes.length === 0 ? 1 : terms.rows.length / terms.hashes.length;
  const blank = blankModel(terms, dimensions);
  const embedded = corpus.prompts.map((prompt) => embed(blank, plainText(prompt)));
  const known = embedded.flatMap((one, index) => (one.share > 0 ? [index] : []));
  const shuffled = shuffle(known, random.fork(2));
  const heldOut = Math.min(HELD_OUT_MOST, Math.floor(shuffled.length * HELD_OUT_SHARE));
  const held = shuffled.slice(0, heldOut);
  const training = shuffled.slice(heldOut).sort((a, b) => a - b);
  const points = pointsOf(
    training.map((index) => embedded[index]!.vector),
    dimensions,
  );
  stage('clusters');
  const clusters = Math.max(1, Math.min(options.clusters, distinct(points)));
  const clustering = kMeans(points, { clusters, restarts: options.restarts }, random.fork(3));
  stage('names');
  const trainingPrompts = training.map((index) => corpus.prompts[index]!);
  const words = topTerms(trainingPrompts, clustering.labels, clusters);
  const sizes = new Uint32Array(clusters);
  for (const label of clustering.labels) sizes[label]! += 1;
  stage('calibration');
  const judged = held.length >= 20 ? held : training;
  const parts = {
    dimensions,
    names: namesFrom(words),
    centroids: clustering.centroids,
    sizes,
    topTerms: words,
    examples: words.map(() => []),
    terms,
    calibration: calibrate(
      points,
      clustering,
      judged.map((index) => embedded[index]!),
      random.fork(4),
    ),
    facts: {
      seed: options.seed,
      prompts: corpus.prompts.length,
      duplicates: corpus.duplicates,
      sources: countBySource(corpus),
      inertia: clustering.inertia,
      more: {},
    },
  };
  return routerModel({ ...parts, id: contentId(parts) });
}

async function fitTerms(
  prompts: readonly string[],
  vocabulary: Vocabulary,
  rank: number,
  random: Random,
): Promise<Terms> {
  const counts = countMatrix(prompts, vocabulary);
  const matrix: WeightedMatrix = {
    counts,
    weights: vocabulary.weights,
    lengths: rowLengths(counts, vocabulary.weights),
  };
  const svd = await truncatedSvd(counts.columns, rank, random, multiplyHere(matrix));
  const { values, scales } = quantiseRows(svd.vectors, svd.rank);
  return { ...vocabulary, rows: values, scales };
}

function countMatrix(prompts: readonly string[], vocabulary: Vocabulary): CountMatrix {
  const builder = new CountMatrixBuilder(vocabulary.hashes.length);
  const counts = new TermCounts(new TermLookup(vocabulary.hashes));
  const features = new FeatureBuffer();
  for (const prompt of prompts) {
    extractFeatures(normalise(sampleText(prompt)), features);
    counts.count(features);
    builder.add(counts.terms, counts.length, counts.counts);
  }
  return builder.build();
}

/** A model that can embed but not yet classify. */
function blankModel(terms: Terms, dimensions: number): RouterModel {
  return routerModel({
    id: '',
    dimensions,
    names: [],
    centroids: new Float32Array(0),
    sizes: new Uint32Array(0),
    topTerms: [],
    examples: [],
    terms,
    calibration: {
      scores: new Float32Array(0),
      confidences: new Float32Array(0),
      radii: new Float32Array(0),
      leastShare: 0,
    },
    facts: { seed: 0, prompts: 0, duplicates: 0, sources: {}, inertia: 0, more: {} },
  });
}

function pointsOf(vectors: readonly Float32Array[], dimensions: number): Points {
  const values = new Float32Array(vectors.length * dimensions);
  vectors.forEach((vector, index) => {
    values.set(vector, index * dimensions);
  });
  return { values, count: vectors.length, dimensions };
}

function distinct({ values, count, dimensions }: Points): number {
  const seen = new Set<string>();
  for (let point = 0; point < count; point += 1) {
    seen.add(values.subarray(point * dimensions, (point + 1) * dimensions).join());
    if (seen.size > 4_096) break;
  }
  return seen.size;
}

function shuffle(items: readonly number[], random: Random): number[] {
  const list = [...items];
  for (let index = list.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [list[index], list[other]] = [list[other]!, list[index]!];
  }
  return list;
}

function countBySource(corpus: Corpus): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const origin of corpus.origins) {
    const name = corpus.sources[origin]!.split('/').slice(-2).join('/');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
