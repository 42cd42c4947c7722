/**
 * The router model as plain data: an embedding, the centroids in its space, and the clusters' names, sizes and
 * calibration.
 */
import type { AnyEmbedding } from '../embedding/embedding.ts';
import type { Quality } from '../quality/quality.ts';
import { DotTable } from './dot-table.ts';

/** What turns a margin into a confidence and a distance into "outside". */
export interface Calibration {
  /** Per cluster: how reliably resampled trainings find it again, on the scale of scores. */
  readonly offsets: Float32Array;
  /** Weight of the logarithm of the relative margin in a score. */
  readonly slope: number;
  /** Ascending scores and the confidence at each; linear in between, constant beyond the ends. */
  readonly scores: Float32Array;
  readonly confidences: Float32Array;
  /** Per cluster: the distance from the centroid within which nearly all its prompts lie. */
  readonly radii: Float32Array;
  /** Texts whose distance over the radius, divided by their familiarity, exceeds this are outside. */
  readonly strangest: number;
}

/** How the model was trained; shown by `inspect`, stored in the file. */
export interface TrainingFacts {
  readonly seed: number;
  readonly prompts: number;
  readonly duplicates: number;
  readonly sources: Readonly<Record<string, number>>;
  readonly inertia: number;
  /** Anything else worth keeping: held-out figures, facts of the embedding. */
  readonly more: Readonly<Record<string, string | number>>;
}

export interface RouterModelParts {
  /** Short hash of the content. */
  readonly id: string;
  readonly embedding: AnyEmbedding;
  readonly names: readonly string[];
  /** k × dimensions of the embedding, row-major. */
  readonly centroids: Float32Array;
  /** Training prompts per cluster. */
  readonly sizes: Uint32Array;
  /** Per cluster the words that characterise it, the most characteristic first. */
  readonly topWords: readonly (readonly string[])[];
  /** Nearest prompts per cluster; empty lists unless training was asked to keep them. */
  readonly examples: readonly (readonly string[])[];
  readonly calibration: Calibration;
  readonly facts: TrainingFacts;
  /** How good each expert is where, if that was learned from scores. */
  readonly quality?: Quality;
}

export interface RouterModel extends RouterModelParts {
  readonly clusters: number;
  readonly dimensions: number;
  /** Squared length of each centroid. */
  readonly squaredNorms: Float64Array;
  /** The centroids, to multiply vectors with. */
  readonly table: DotTable;
}

/** Adds what is derived from the parts. */
export function routerModel(parts: RouterModelParts): RouterModel {
  const { centroids, embedding } = parts;
  const { dimensions } = embedding;
  const clusters = parts.names.length;
  const squaredNorms = new Float64Array(clusters);
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    for (let j = 0; j < dimensions; j += 1)
      squaredNorms[cluster]! += centroids[cluster * dimensions + j]! ** 2;
  }
  const rows = Array.from({ length: clusters }, (_, cluster) =>
    centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions),
  );
  return { ...parts, clusters, dimensions, squaredNorms, table: new DotTable(rows, dimensions) };
}
