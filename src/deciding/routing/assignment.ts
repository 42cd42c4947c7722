/**
 * Decides which expert serves which cluster, for the map that people see and for where only the cluster of a prompt is
 * known: as named in the config; else who claims the cluster's centre; else the fallback.
 */
import { UserError } from '../../core/errors.ts';
import { nearestName } from '../../core/suggest.ts';
import { type Claims, type ClaimText, claimed } from './claims.ts';
import { NOBODY } from './territory.ts';

export interface ExpertProfile {
  readonly id: string;
  readonly clusters: readonly (number | string)[];
  readonly texts: readonly ClaimText[];
  readonly fallback: boolean;
}

/** The clusters to be assigned: k names and k×d centroids, row by row. */
export interface Clusters {
  readonly names: readonly string[];
  readonly dimensions: number;
  readonly centroids: Float32Array;
}

export interface ClusterAssignment {
  readonly cluster: number;
  /** Index into the experts, or NOBODY. */
  readonly expert: number;
  readonly how: 'named' | 'described' | 'fallback' | 'nobody';
  /** Cosine between the centroid and the expert's nearest text; null where there is none, or `named`. */
  readonly similarity: number | null;
  /** That text; null unless `described`. */
  readonly text: string | null;
  /**
   * The next best expert, the cosine of its nearest text (null for the fallback's everything else), and its claim
   * relative to the owner's: near 1 the cluster is doubtful.
   */
  readonly runnerUp: {
    readonly expert: number;
    readonly similarity: number | null;
    readonly affinity: number;
  } | null;
}

/** From this on, relative to the owner's, another expert's claim makes a cluster doubtful. */
export const DOUBTFUL = 0.7;

/**
 * @returns one assignment per cluster, in order
 * @throws UserError for a cluster that does not exist or that two experts claim by name
 */
export function assignClusters(
  clusters: Clusters,
  experts: readonly ExpertProfile[],
  claims: Claims | null,
): readonly ClusterAssignment[] {
  const named = namedOwners(clusters.names, experts);
  const fallback = experts.findIndex((expert) => expert.fallback);
  return clusters.names.map((_name, cluster) => {
    const owner = named.get(cluster);
    if (owner !== undefined) return simply(cluster, owner, 'named');
    if (claims) return byClaim(clusters, experts, claims, cluster);
    return fallback >= 0 ? simply(cluster, fallback, 'fallback') : simply(cluster, NOBODY, 'nobody');
  });
}

function simply(cluster: number, expert: number, how: 'named' | 'fallback' | 'nobody'): ClusterAssignment {
  return { cluster, expert, how, similarity: null, text: null, runnerUp: null };
}

/** Clusters by number, with the index of the expert that names them. */
export function namedOwners(
  names: readonly string[],
  experts: readonly Pick<ExpertProfile, 'id' | 'clusters'>[],
): ReadonlyMap<number, number> {
  const owners = new Map<number, number>();
  experts.forEach((expert, index) => {
    for (const wanted of expert.clusters) {
      const cluster = clusterNumber(names, `Expert '${expert.id}'`, wanted);
      const before = owners.get(cluster);
      if (before !== undefined && before !== index) {
        throw new UserError(
          `Cluster ${cluster} (${names[cluster]}) is claimed by both '${experts[before]!.id}' and '${expert.id}'.`,
        );
      }
      owners.set(cluster, index);
    }
  });
  return owners;
}

/**
 * A cluster by its number or name.
 * @param whose who wants it, as an error begins @throws UserError for one that the router model does not have
 */
export function clusterNumber(names: readonly string[], whose: string, wanted: number | string): number {
  const found = typeof wanted === 'number' ? wanted : names.indexOf(wanted);
  if (found >= 0 && found < names.length) return found;
  const near = typeof wanted === 'string' ? nearestName(wanted, names) : null;
  throw new UserError(
    `${whose} names cluster ${JSON.stringify(wanted)}, which the router model does not have. ` +
      (near
        ? `Did you mean '${near}'?`
        : `It has 0 … ${names.length - 1}; \`expert-router assign\` lists their names.`),
  );
}

function byClaim(
  { dimensions, centroids }: Clusters,
  experts: readonly ExpertProfile[],
  claims: Claims,
  cluster: number,
): ClusterAssignment {
  const centroid = unit(centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions));
  const fits = claimed(claims, centroid);
  const order = Array.from(fits.keys()).sort((a, b) => fits[b]! - fits[a]!);
  const [expert, next] = order as [number, number | undefined];
  const { fallback, texts } = experts[expert]!;
  const near = nearestText(centroid, texts);
  return {
    cluster,
    expert,
    how: fallback && near === null ? 'fallback' : 'described',
    similarity: near?.similarity ?? null,
    text: near?.text ?? null,
    runnerUp:
      next !== undefined && fits[next]! > 0
        ? {
            expert: next,
            similarity: nearestText(centroid, experts[next]!.texts)?.similarity ?? null,
            affinity: fits[next]!,
          }
        : null,
  };
}

function nearestText(
  centroid: Float32Array,
  texts: readonly ClaimText[],
): { readonly similarity: number; readonly text: string } | null {
  let best: { readonly similarity: number; readonly text: string } | null = null;
  for (const { text, vector } of texts) {
    let similarity = 0;
    for (let j = 0; j < centroid.length; j++) similarity += centroid[j]! * vector[j]!;
    if (best === null || similarity > best.similarity) best = { similarity, text };
  }
  return best;
}

function unit(vector: Float32Array): Float32Array {
  let squared = 0;
  for (const value of vector) squared += value * value;
  return squared === 0 ? vector : vector.map((value) => value / Math.sqrt(squared));
}
