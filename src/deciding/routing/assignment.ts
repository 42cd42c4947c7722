/**
 * Decides which expert serves which cluster: as named in the config; else by the experts' descriptions and samples,
 * embedded like prompts; else in turn.
 */
import { UserError } from '../../core/errors.ts';
import { nearestName } from '../../core/suggest.ts';

/** One sentence or sample prompt of an expert, embedded. */
export interface ProfileText {
  readonly text: string;
  /** Unit vector of d numbers. */
  readonly vector: Float32Array;
}

export interface ExpertProfile {
  readonly id: string;
  readonly clusters: readonly (number | string)[];
  readonly texts: readonly ProfileText[];
  readonly fallback: boolean;
  /** False: takes no turn. */
  readonly text?: boolean;
}

/** The clusters to be assigned: k names and k×d centroids, row by row. */
export interface Clusters {
  readonly names: readonly string[];
  readonly dimensions: number;
  readonly centroids: Float32Array;
}

export interface ClusterAssignment {
  readonly cluster: number;
  /** Index into the experts. */
  readonly expert: number;
  readonly how: 'named' | 'described' | 'one-to-one' | 'fallback';
  /** Cosine between the centroid and the text that decided; null unless `described` or `fallback`. */
  readonly similarity: number | null;
  /** The expert's text that decided; null unless `described`. */
  readonly text: string | null;
  /** The next best expert and its similarity, where descriptions decided. */
  readonly runnerUp: { readonly expert: number; readonly similarity: number } | null;
}

/** A cluster whose best text has a lower cosine than this matches no description; it goes to the fallback. */
export const LEAST_SIMILARITY = 0.2;

/**
 * @returns one assignment per cluster, in order
 * @throws UserError for a cluster that does not exist or that two experts claim
 */
export function assignClusters(
  clusters: Clusters,
  experts: readonly ExpertProfile[],
): readonly ClusterAssignment[] {
  const named = namedOwners(clusters.names, experts);
  const described = experts.some((expert) => expert.texts.length > 0);
  return clusters.names.map((_name, cluster) => {
    const owner = named.get(cluster);
    if (owner !== undefined) return simply(cluster, owner, 'named');
    if (described) return byDescription(clusters, experts, cluster);
    return simply(cluster, oneToOne(experts, named, cluster), 'one-to-one');
  });
}

function simply(cluster: number, expert: number, how: 'named' | 'one-to-one'): ClusterAssignment {
  return { cluster, expert, how, similarity: null, text: null, runnerUp: null };
}

function namedOwners(names: readonly string[], experts: readonly ExpertProfile[]): Map<number, number> {
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

/** Experts that name clusters keep to those; the others take turns. */
function oneToOne(
  experts: readonly ExpertProfile[],
  named: ReadonlyMap<number, number>,
  cluster: number,
): number {
  const free = experts.flatMap((expert, index) => (expert.clusters.length === 0 ? [index] : []));
  const writers = free.filter((index) => experts[index]!.text !== false);
  const takers =
    writers.length > 0 ? writers : free.length > 0 ? free : experts.map((_expert, index) => index);
  let turn = 0;
  for (let earlier = 0; earlier < cluster; earlier++) if (!named.has(earlier)) turn += 1;
  return takers[turn % takers.length]!;
}

function byDescription(
  clusters: Clusters,
  experts: readonly ExpertProfile[],
  cluster: number,
): ClusterAssignment {
  const { dimensions, centroids } = clusters;
  const centroid = centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions);
  const ranked = experts
    .map((expert, index) => ({ expert: index, ...nearestText(centroid, expert.texts) }))
    .sort((a, b) => b.similarity - a.similarity);
  const [best, second] = ranked;
  const fallback = experts.findIndex((expert) => expert.fallback);
  const unmatched = best!.similarity < LEAST_SIMILARITY && fallback >= 0;
  return {
    cluster,
    expert: unmatched ? fallback : best!.expert,
    how: unmatched ? 'fallback' : 'described',
    similarity: best!.similarity,
    text: unmatched ? null : best!.text,
    runnerUp:
      second && Number.isFinite(second.similarity)
        ? { expert: second.expert, similarity: second.similarity }
        : null,
  };
}

function nearestText(
  centroid: Float32Array,
  texts: readonly ProfileText[],
): { similarity: number; text: string | null } {
  let best: { similarity: number; text: string | null } = {
    similarity: Number.NEGATIVE_INFINITY,
    text: null,
  };
  for (const { text, vector } of texts) {
    const similarity = cosine(centroid, vector);
    if (similarity > best.similarity) best = { similarity, text };
  }
  return best;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
