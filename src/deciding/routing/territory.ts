/** Which expert serves what, and how well each expert suits a classified prompt. */
import { type Claims, claimed, sampledBy } from './claims.ts';

import { type Learned, learnedChoice } from './learned.ts';

/** The part of a classification that routing needs. */
export interface Classified {
  readonly cluster: number;
  /** Distance to every centroid, length k. */
  readonly distances: Float32Array;
  readonly outside: boolean;
  /** Unit vector of the prompt with its context; absent where only the cluster is known, as in simulations. */
  readonly vector?: Float32Array;
  /** Of the turn by itself. */
  readonly own?: Float32Array;
  /** How many words the person's are; a long text when absent. */
  readonly words?: number;
}

/** The owner of a cluster that no expert claims, where there is no fallback either. */
export const NOBODY = -1;

export interface Territory {
  readonly experts: readonly string[];
  /** Cluster → index into `experts`, or NOBODY; length k. */
  readonly owners: readonly number[];
  /** Index of the expert for prompts outside everything known, or null when there is none. */
  readonly fallback: number | null;
  /** Clusters that the config gives to their owner, whatever a prompt in them says; none when absent. */
  readonly pinned?: ReadonlySet<number>;
  /** Who claims a prompt by what it says; null or absent where the clusters' owners decide. */
  readonly claims?: Claims | null;
  /** What scores say of these experts; absent or null where nothing was learned. */
  readonly learned?: Learned | null;
}

/**
 * Temperature of affinities over squared distances; c-BTM (arXiv 2303.14177, section 2.4) finds 0.1 best for
 * weighing its experts.
 */
const TEMPERATURE = 0.1;

/** Distance of each expert: that of its nearest cluster; Infinity for an expert without clusters. Length: experts. */
export function expertDistances({ experts, owners }: Territory, distances: Float32Array): Float64Array {
  const nearest = new Float64Array(experts.length).fill(Number.POSITIVE_INFINITY);
  for (let cluster = 0; cluster < owners.length; cluster++) {
    const expert = owners[cluster]!;
    if (expert === NOBODY) continue;
    const distance = distances[cluster]!;
    if (distance < nearest[expert]!) nearest[expert] = distance;
  }
  return nearest;
}

/**
 * exp(−(d² − d²min) / T) for each expert: 1 for the nearest, towards 0 with distance (c-BTM's p(D | x) without
 * its normalisation, so that adding an expert leaves the others' values unchanged).
 */
export function affinities(nearest: Float64Array): Float64Array {
  let best = Number.POSITIVE_INFINITY;
  for (const distance of nearest) if (distance < best) best = distance;
  const values = new Float64Array(nearest.length);
  if (best === Number.POSITIVE_INFINITY) return values;
  for (let expert = 0; expert < values.length; expert++) {
    const distance = nearest[expert]!;
    values[expert] = Math.exp(-(distance * distance - best * best) / TEMPERATURE);
  }
  return values;
}

/** The inverse: the distance of an expert with this affinity when the nearest is at distance `nearest`. */
export function distanceOf(affinity: number, nearest: number): number {
  return Math.sqrt(nearest ** 2 - TEMPERATURE * Math.log(affinity));
}

/** Affinity of others to a prompt in a cluster that the config gives to somebody, at most. */
const BESIDE_A_PIN = 0.4;

/** A turn of fewer words is understood with its context. */
const FEW_WORDS = 3;

/** Remembered by territory and prompt: every later turn of a conversation asks again about the earlier ones. */
const remembered = new WeakMap<Territory, WeakMap<Classified, Float64Array>>();

/**
 * How well each expert suits a prompt: 1 for the best, towards 0. By what the prompt says where experts have texts; a
 * cluster that the config gives to an expert comes before that, and where there are no texts the clusters decide alone.
 */
export function fitsOf(territory: Territory, prompt: Classified): Float64Array {
  const known = remembered.get(territory) ?? new WeakMap<Classified, Float64Array>();
  remembered.set(territory, known);
  const fits = known.get(prompt) ?? freshFits(territory, prompt);
  known.set(prompt, fits);
  return fits;
}

function freshFits(territory: Territory, prompt: Classified): Float64Array {
  const { claims, owners, pinned, learned } = territory;
  const { cluster, distances, vector, own = vector, words = Number.POSITIVE_INFINITY } = prompt;
  const sampled = claims && own ? sampledBy(claims, own) !== null : false;
  const scored = sampled ? null : learnedChoice(learned, prompt);
  if (scored) return scored.affinities;
  if (!claims || vector === undefined) return affinities(expertDistances(territory, distances));
  const fits = claimed(claims, words < FEW_WORDS ? vector : own!, own);
  if (!pinned?.has(cluster) || sampled) return fits;
  return fits.map((fit, expert) => (expert === owners[cluster] ? 1 : Math.min(fit, BESIDE_A_PIN)));
}

/** Whether there is nothing to tell the experts apart by: no texts, no clusters, no fallback. */
export function isBalanced({ claims, learned, owners, fallback }: Territory): boolean {
  return !claims && !learned && fallback === null && owners.every((owner) => owner === NOBODY);
}
