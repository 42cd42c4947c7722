/** From prompts to a router model. Equal prompts, options and seed give an equal model, on any number of threads. */
import { type Random, seededRandom } from '../../core/random.ts';
import type { TaskRunner } from '../../core/tasks.ts';
import { labelsOf, meanSquaredDistance } from '../../deciding/clustering/distances.ts';
import type { Clustering, Points } from '../../deciding/clustering/points.ts';
import { embedAll } from '../../deciding/embedding/batch.ts';
import type { AnyEmbedding, EmbeddedTexts, Learned } from '../../deciding/embedding/embedding.ts';
import { DEFAULT_EMBEDDING, EMBEDDINGS } from '../../deciding/embedding/index.ts';
import { contentId } from '../../deciding/model/artefact.ts';
import { type RouterModel, type RouterModelParts, routerModel } from '../../deciding/model/router-model.ts';
import { topicsNear } from '../../deciding/routing/described.ts';
import { type Calibrated, calibrate } from './calibrate.ts';
import { bestCount, type TriedCount, tryCounts } from './choose-clusters.ts';
import { clusterPoints, refineOnAll } from './cluster.ts';
import { type Continuation, continuation, keptNames, oldLabels } from './continue.ts';
import type { Corpus } from './corpus.ts';
import { type Drawn, drawPrompts, promptsIn } from './draw.ts';
import { type ClusterEdits, edited, type Start } from './edit.ts';
import { type ClusterExamples, findExamples } from './examples.ts';
import { distinctNames, namesFrom, WordCounts } from './names.ts';
import { type Split, splitOff } from './split.ts';

export interface FitOptions {
  /** Number of clusters, fewer if there are fewer distinct prompts; `auto` searches for it. */
  readonly clusters: number | 'auto';
  /** Id in the table of embeddings; the default one when absent. */
  readonly embedding?: string;
  /** An embedding learned elsewhere that the new one may build on, such as a shipped model's. */
  readonly pretrained?: AnyEmbedding;
  readonly dimensions: number;
  /** Maximum size of the embedding's vocabulary, if it has one. */
  readonly vocabulary: number;
  readonly restarts: number;
  readonly seed: number;
  readonly balanced?: boolean;
  /** Embedding and initial centroids are learned from at most this many prompts; all prompts refine the centroids. */
  readonly fitOn?: number;
  /** Old model whose clusters, and number of clusters, are kept. */
  readonly previous?: RouterModel;
  /** What is done to its clusters first. */
  readonly edits?: ClusterEdits;
  /** Example prompts per cluster to store in the model; none by default, because prompts may be private. */
  readonly examples?: number;
  /** Whether the model may hold words of the prompts, in its clusters' names; true when absent. */
  readonly terms?: boolean;
  /** The label of a prompt, if it has one: with `auto`, labels choose the number of clusters. */
  readonly labelOf?: (prompt: string) => string | undefined;
  readonly onStage?: (stage: string, done: number, total: number) => void;
}

export interface Fitted {
  readonly model: RouterModel;
  /** Empty unless the number of clusters was searched for. */
  readonly curve: readonly TriedCount[];
  readonly check: Calibrated['check'];
  readonly examples: readonly ClusterExamples[];
  readonly heldOut: HeldOut;
  /** Every sampled prompt's vector, and its cluster. */
  readonly points: Points;
  readonly labels: Uint32Array;
  /** What changed since the model that it continues; absent for a new one. */
  readonly continued?: Continuation;
}

/** Mean squared distance to the nearest centroid, of the prompts trained on and of those held out. */
export interface HeldOut {
  readonly training: number;
  readonly heldOut: number;
  readonly prompts: number;
}

const FIT_ON = 200_000;

export async function fitModel(corpus: Corpus, options: FitOptions, tasks: TaskRunner): Promise<Fitted> {
  const random = seededRandom(options.seed);
  const drawn = await drawPrompts(corpus.store, options.fitOn ?? FIT_ON, random.fork('draw'));
  const { learned, points } = await learnEmbedding(drawn, options, random.fork('embedding'), tasks);
  const split = splitOff(points, random.fork('held out'));
  const old =
    options.previous && (await startOf(options.previous, options.edits, drawn, points, random, tasks));
  const curve = await searchCurve(split, drawn, options, random.fork('search'), tasks);
  const first = await firstClusters(split, curve, old, options, random.fork('clusters'), tasks);
  const clustering = await refined(first, split, corpus, drawn, learned, options, tasks);
  const { training, judged } = split;
  const { calibration, check } = await calibrate(
    training,
    clustering,
    judged,
    random.fork('calibration'),
    tasks,
  );
  options.onStage?.('calibration', 1, 1);

  const { centroids } = clustering;
  const labels = labelsOf(points, centroids);
  const examples = findExamples(points, labels, centroids, drawn.batches);
  const topics = await topicsOf(points, labels, calibration.radii.length, learned.embedding);
  const parts = {
    embedding: learned.embedding,
    ...named(drawn, labels, topics, options, old),
    centroids,
    examples: examples.map((one) => one.near.slice(0, options.examples ?? 0)),
    calibration,
    facts: factsOf(corpus, options, learned, clustering, check),
  };
  const model = routerModel({ ...parts, id: contentId(parts) });
  const continued = old && { continued: continuation(old.names, old.labels, labels, model.names) };
  return {
    model,
    curve,
    check,
    examples,
    heldOut: heldOutOf(split, centroids),
    points,
    labels,
    ...continued,
  };
}

async function startOf(
  previous: RouterModel,
  edits: ClusterEdits | undefined,
  { batches }: Drawn,
  points: Points,
  random: Random,
  tasks: TaskRunner,
): Promise<Start> {
  const start = { labels: await oldLabels(previous, batches), names: previous.names };
  return edits ? edited(start, points, edits, random.fork('edits'), tasks) : start;
}

async function learnEmbedding(
  { batches, count }: Drawn,
  { embedding: kind = DEFAULT_EMBEDDING, pretrained, dimensions, vocabulary, onStage = () => {} }: FitOptions,
  random: Random,
  tasks: TaskRunner,
): Promise<{ readonly learned: Learned; readonly points: EmbeddedTexts }> {
  const embed = (embedding: AnyEmbedding): Promise<EmbeddedTexts> =>
    embedAll(embedding, batches, count, tasks);
  const learned = await EMBEDDINGS[kind]!.learn({
    batches,
    count,
    dimensions,
    vocabulary,
    random,
    tasks,
    pretrained: pretrained ?? null,
    embedAll: embed,
    onProgress: onStage,
  });
  return { learned, points: await embed(learned.embedding) };
}

/** Empty if the number of clusters is given. */
async function searchCurve(
  { training, trainingRows }: Split,
  drawn: Drawn,
  { clusters, previous, labelOf, onStage }: FitOptions,
  random: Random,
  tasks: TaskRunner,
): Promise<readonly TriedCount[]> {
  if (clusters !== 'auto' || previous) return [];
  const onDone = (done: number, total: number): void => onStage?.('search for k', done, total);
  if (!labelOf) return tryCounts(training, random, tasks, onDone);
  const labels = [...promptsIn(drawn.batches)].map(labelOf);
  return tryCounts(
    training,
    random,
    tasks,
    onDone,
    Array.from(trainingRows, (row) => labels[row]),
  );
}

function firstClusters(
  { training, trainingRows }: Split,
  curve: readonly TriedCount[],
  old: Start | undefined,
  options: FitOptions,
  random: Random,
  tasks: TaskRunner,
): Promise<Clustering> {
  const wanted = options.clusters === 'auto' ? bestCount(curve, training.count) : options.clusters;
  const clusterOptions = {
    clusters: old?.names.length ?? wanted,
    restarts: options.restarts,
    balanced: options.balanced ?? false,
    oldLabels: old && Uint32Array.from(trainingRows, (row) => old.labels[row]!),
  };
  const onRun = (done: number, total: number): void => options.onStage?.('clusters', done, total);
  return clusterPoints(training, clusterOptions, random, tasks, onRun);
}

/** If there are more prompts than were sampled, all of them refine the centroids. */
async function refined(
  first: Clustering,
  { training }: Split,
  { store }: Corpus,
  drawn: Drawn,
  { embedding }: Learned,
  { onStage }: FitOptions,
  tasks: TaskRunner,
): Promise<Clustering> {
  if (store.count <= drawn.count) return first;
  const onProgress = (done: number, total: number): void => onStage?.('refining', done, total);
  return refineOnAll(store, embedding, first, training, tasks, onProgress);
}

function heldOutOf({ training, judged, isHeldOut }: Split, centroids: Float32Array): HeldOut {
  return {
    training: meanSquaredDistance(training, centroids),
    heldOut: meanSquaredDistance(judged.points, centroids),
    prompts: isHeldOut ? judged.points.count : 0,
  };
}

/** Prompts of a cluster whose topics are looked at. */
const MOST_LOOKED_AT = 100;

/** By cluster, what some of its prompts are about. */
async function topicsOf(
  { values, dimensions }: Points,
  labels: Uint32Array,
  clusters: number,
  embedding: AnyEmbedding,
): Promise<readonly (readonly (string | null)[])[]> {
  const vectors = Array.from({ length: clusters }, (): Float32Array[] => []);
  labels.forEach((cluster, row) => {
    const own = vectors[cluster]!;
    if (own.length < MOST_LOOKED_AT) own.push(values.subarray(row * dimensions, (row + 1) * dimensions));
  });
  return Promise.all(vectors.map((own) => topicsNear(own, embedding)));
}

type Named = Pick<RouterModelParts, 'names' | 'topWords' | 'sizes'>;

/** With words, or with numbers alone. */
function named(
  drawn: Drawn,
  labels: Uint32Array,
  topics: readonly (readonly (string | null)[])[],
  { terms = true }: FitOptions,
  old: Start | undefined,
): Named {
  const found = namesOf(drawn, labels, topics, old);
  if (terms) return found;
  const none = topics.map((): readonly string[] => []);
  return { ...found, names: namesFrom(none), topWords: none };
}

function namesOf(
  drawn: Drawn,
  labels: Uint32Array,
  topics: readonly (readonly (string | null)[])[],
  old: Start | undefined,
): Named {
  const words = new WordCounts(topics.length);
  const sizes = new Uint32Array(topics.length);
  let row = 0;
  for (const prompt of promptsIn(drawn.batches)) {
    words.add(prompt, labels[row]!);
    sizes[labels[row]!]! += 1;
    row += 1;
  }
  const topWords = words.topWords();
  const fresh = namesFrom(topWords, topics);
  const names = old ? distinctNames(keptNames(old, labels, fresh)) : fresh;
  return { names, topWords, sizes };
}

/** Sources by the last two elements of their paths: a published model should not reveal its maker's folders. */
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
  learned: Learned,
  clustering: Clustering,
  check: Calibrated['check'],
): RouterModel['facts'] {
  return {
    seed: options.seed,
    prompts: corpus.store.count,
    duplicates: corpus.duplicates,
    sources: options.terms === false ? {} : shortNames(corpus.sources),
    inertia: clustering.inertia,
    more: {
      ...learned.facts,
      'calibration error': Number(check.expectedError.toFixed(4)),
      'agreement under resampling': Number(check.agreement.toFixed(4)),
    },
  };
}
