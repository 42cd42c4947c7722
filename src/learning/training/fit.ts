/**
 * From prompts to a router model: vocabulary, projection, clusters, names, calibration. It knows nothing of files or
 * terminals; equal prompts, options and seed give an equal model, whatever the number of threads.
 */

import { type Random, seededRandom } from '../../core/random.ts';
import type { Clustering, Points } from '../../deciding/clustering/points.ts';
import { contentId } from '../../deciding/model/artefact.ts';
import { type RouterModel, type RouterModelParts, routerModel } from '../../deciding/model/router-model.ts';
import { type Calibrated, calibrate } from './calibrate.ts';
import { bestCount, type TriedCount, tryCounts } from './choose-clusters.ts';
import { clusterPoints, possibleClusters, refineOnAll } from './cluster.ts';
import { keptNames, oldLabels, startFrom } from './continue.ts';
import type { Corpus } from './corpus.ts';
import { type Drawn, drawPrompts, promptsIn } from './draw.ts';
import { type ClusterExamples, findExamples } from './examples.ts';
import { distinctNames, namesFrom, WordCounts } from './names.ts';
import type { Pool } from './pool.ts';
import { weighByRelevance } from './relevance.ts';
import { embedAll, labelsBy, meanSquaredDistance, type Split, splitOff } from './split.ts';
import { type FittedTerms, fitTerms } from './terms.ts';

export interface FitOptions {
  /** How many clusters, fewer where there are fewer distinct prompts; `auto` searches. */
  readonly clusters: number | 'auto';
  readonly dimensions: number;
  /** Terms at most. */
  readonly vocabulary: number;
  readonly restarts: number;
  readonly seed: number;
  readonly balanced?: boolean;
  /** Vocabulary, projection and first centroids are learned on at most this many prompts; all move the centroids. */
  readonly fitOn?: number;
  /** Old model whose clusters keep their identity; its number of clusters is kept, too. */
  readonly previous?: RouterModel;
  /** Example prompts per cluster to keep in the model: none unless whoever owns the prompts allows it. */
  readonly examples?: number;
  readonly onStage?: (stage: Stage, done: number, total: number) => void;
}

export type Stage =
  | 'counting'
  | 'vectors'
  | 'projection'
  | 'search for k'
  | 'clusters'
  | 'refining'
  | 'calibration';

export interface Fitted {
  readonly model: RouterModel;
  /** Empty unless the number of clusters was searched for. */
  readonly curve: readonly TriedCount[];
  readonly check: Calibrated['check'];
  readonly examples: readonly ClusterExamples[];
  readonly heldOut: HeldOut;
  readonly singularValues: Float64Array;
  /** Every drawn prompt's vector, and its cluster. */
  readonly points: Points;
  readonly labels: Uint32Array;
}

/** Mean squared distance to the nearest centroid, of the prompts trained on and of those held out. */
export interface HeldOut {
  readonly training: number;
  readonly heldOut: number;
  readonly prompts: number;
}

const FIT_ON = 200_000;

export async function fitModel(corpus: Corpus, options: FitOptions, pool: Pool): Promise<Fitted> {
  const random = seededRandom(options.seed);
  const on = (stage: Stage) => (done: number, total: number) => options.onStage?.(stage, done, total);
  const drawn = await drawPrompts(corpus.store, options.fitOn ?? FIT_ON, random.fork(5));
  const plain = await fitTerms(drawn.batches, drawn.count, options, random.fork(1), pool, {
    counted: on('counting'),
    vectorised: on('vectors'),
    projected: on('projection'),
  });
  const terms = await relevantTerms(plain, random.fork(8), pool);
  const { points, coherences } = await embedAll(terms, pool);
  const split = splitOff({ points, coherences }, random.fork(2));
  const search = options.clusters === 'auto' && !options.previous;
  const curve = search ? await tryCounts(split.training, random.fork(6), pool, on('search for k')) : [];
  const old = options.previous && oldLabels(options.previous, promptsIn(drawn.batches));
  const first = await firstClusters(split, curve, old, options, random, pool);
  const all = corpus.store.count > drawn.count;
  const clustering = all
    ? await refineOnAll(corpus, terms, first, split.training, pool, on('refining'))
    : first;
  const { calibration, check } = await calibrate(
    split.training,
    clustering,
    split.judged,
    random.fork(4),
    pool,
  );
  on('calibration')(1, 1);
  const labels = labelsBy(points, clustering.centroids);
  const examples = findExamples(points, labels, clustering.centroids, drawn.batches);
  const parts = {
    dimensions: terms.projection.dimensions,
    ...namesOf(drawn, labels, calibration.radii.length, options.previous, old),
    centroids: clustering.centroids,
    examples: examples.map((one) => one.near.slice(0, options.examples ?? 0)),
    terms: termsOf(terms),
    calibration,
    facts: factsOf(corpus, options, terms, clustering, check),
  };
  return {
    model: routerModel({ ...parts, id: contentId(parts) }),
    curve,
    check,
    examples,
    heldOut: {
      training: meanSquaredDistance(split.training, clustering.centroids),
      heldOut: meanSquaredDistance(split.judged.points, clustering.centroids),
      prompts: split.isHeldOut ? split.judged.points.count : 0,
    },
    singularValues: terms.singularValues,
    points,
    labels,
  };
}

/** Clusters of the first round: enough to tell topics apart, whatever the number asked for in the end. */
const FIRST_CLUSTERS = 64;

async function relevantTerms(plain: FittedTerms, random: Random, pool: Pool): Promise<FittedTerms> {
  const { points } = await embedAll(plain, pool);
  const clusters = possibleClusters(FIRST_CLUSTERS, points);
  const options = { clusters, restarts: 1, maxIterations: 30, tolerance: 1e-3 };
  const { centroids } = await pool.run('cluster', { points, options, seed: random.below(2 ** 31) });
  return weighByRelevance(plain, labelsBy(points, centroids), clusters);
}

async function firstClusters(
  { training, trainingRows }: Split,
  curve: readonly TriedCount[],
  old: Uint32Array | undefined,
  options: FitOptions,
  random: Random,
  pool: Pool,
): Promise<Clustering> {
  const { previous } = options;
  const wanted = options.clusters === 'auto' ? bestCount(curve) : options.clusters;
  const clusters = previous ? previous.clusters : possibleClusters(wanted, training);
  const before = old && Uint32Array.from(trainingRows, (row) => old[row]!);
  const start = before && startFrom(training, before, clusters, random.fork(7));
  const onProgress = (done: number, total: number): void => options.onStage?.('clusters', done, total);
  return clusterPoints(training, clusters, options, start, random.fork(3), pool, onProgress);
}

function termsOf({ vocabulary, projection }: FittedTerms): RouterModelParts['terms'] {
  const { hashes, weights, unknownWeights } = vocabulary;
  return { hashes, weights, unknownWeights, rows: projection.rows, scales: projection.scales };
}

type Named = Pick<RouterModelParts, 'names' | 'topTerms' | 'sizes'>;

function namesOf(
  drawn: Drawn,
  labels: Uint32Array,
  clusters: number,
  previous: RouterModel | undefined,
  old: Uint32Array | undefined,
): Named {
  const words = new WordCounts(clusters);
  const sizes = new Uint32Array(clusters);
  let row = 0;
  for (const prompt of promptsIn(drawn.batches)) {
    words.add(prompt, labels[row]!);
    sizes[labels[row]!]! += 1;
    row += 1;
  }
  const topTerms = words.topTerms();
  const fresh = namesFrom(topTerms);
  const names = previous && old ? distinctNames(keptNames(previous, old, labels, fresh)) : fresh;
  return { names, topTerms, sizes };
}

/** Sources by the last two elements of their paths: a model is given to others, its maker's folders are not. */
function shortNames(sources: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const short: Record<string, number> = {};
  for (const [source, prompts] of Object.entries(sources)) {
    const name = source.split(/[\\/]/).slice(-2).join('/');
    short[name] = (short[name] ?? 0) + prompts;
  }
  return short;
}

function factsOf(
  corpus: Corpus,
  options: FitOptions,
  terms: FittedTerms,
  clustering: Clustering,
  check: Calibrated['check'],
): RouterModel['facts'] {
  return {
    seed: options.seed,
    prompts: corpus.store.count,
    duplicates: corpus.duplicates,
    sources: shortNames(corpus.sources),
    inertia: clustering.inertia,
    more: {
      'different features': terms.features,
      terms: terms.vocabulary.hashes.length,
      'cosine after rounding to bytes': Number(terms.quantisation.toFixed(6)),
      'calibration error': Number(check.expectedError.toFixed(4)),
      'agreement under resampling': Number(check.agreement.toFixed(4)),
    },
  };
}
