/**
 * The router model as plain data: what a prompt's terms weigh and where they point, the centroids, and what is known
 * of the clusters. It knows nothing of files, training or experts.
 */
import { TermLookup } from '../embedding/term-lookup.ts';

/** The vocabulary, one row a term. */
export interface Terms {
  readonly hashes: Uint32Array;
  /** idf times the factor of the term's kind. */
  readonly weights: Float32Array;
  /** terms × dimensions; times the row's scale it is the term's direction. */
  readonly rows: Int8Array;
  readonly scales: Float32Array;
  /** Weight of features outside of the vocabulary, by kind; they only lower the known share. */
  readonly unknownWeights: Float32Array;
}

/** What turns a margin into a confidence and a distance into "outside". */
export interface Calibration {
  /** Per cluster: how readily other trainings find it again, on the scale of scores. */
  readonly offsets: Float32Array;
  /** What the logarithm of the relative margin counts for in a score. */
  readonly slope: number;
  /** Rising scores and the confidence at each; straight lines between, flat beyond the ends. */
  readonly scores: Float32Array;
  readonly confidences: Float32Array;
  /** Per cluster: the distance from the centroid that nearly all of its prompts keep to. */
  readonly radii: Float32Array;
  /** Texts whose distance over the radius, divided by their coherence, exceeds this are outside. */
  readonly strangest: number;
}

/** How the model came to be; shown by `inspect`, written into the artefact. */
export interface TrainingFacts {
  readonly seed: number;
  readonly prompts: number;
  readonly duplicates: number;
  readonly sources: Readonly<Record<string, number>>;
  readonly inertia: number;
  /** Anything else worth keeping: command, held-out figures, quantisation loss. */
  readonly more: Readonly<Record<string, string | number>>;
}

export interface RouterModelParts {
  /** Short hash of the content. */
  readonly id: string;
  readonly dimensions: number;
  readonly names: readonly string[];
  /** k × dimensions, row-major. */
  readonly centroids: Float32Array;
  /** Training prompts per cluster. */
  readonly sizes: Uint32Array;
  readonly topTerms: readonly (readonly string[])[];
  /** Nearest prompts per cluster, where whoever trained it let them in; else empty lists. */
  readonly examples: readonly (readonly string[])[];
  readonly terms: Terms;
  readonly calibration: Calibration;
  readonly facts: TrainingFacts;
}

export interface RouterModel extends RouterModelParts {
  readonly clusters: number;
  readonly lookup: TermLookup;
  /** Squared length of each centroid. */
  readonly squaredNorms: Float64Array;
}

/** Adds what is derived from the parts. */
export function routerModel(parts: RouterModelParts): RouterModel {
  const { centroids, dimensions } = parts;
  const clusters = parts.names.length;
  const squaredNorms = new Float64Array(clusters);
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    for (let j = 0; j < dimensions; j += 1)
      squaredNorms[cluster]! += centroids[cluster * dimensions + j]! ** 2;
  }
  return { ...parts, clusters, squaredNorms, lookup: new TermLookup(parts.terms.hashes) };
}
