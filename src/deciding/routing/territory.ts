/** Which expert serves what, and how well each expert suits a classified prompt. */
import { type ClaimSlope, type Claims, claimedBeside, claimSlope, continues, sampledBy } from './claims.ts';
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
  /**
   * What routing found of it in the latest territory that asked: every later turn of a conversation asks again about the
   * earlier ones. Beside it, since a WeakMap of all prompts costs each decision more than its comparisons with texts.
   */
  found?: unknown;
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

/** The vector that experts claim a prompt by: the turn's own, or with its context where the turn is short; null for none. */
function saidBy(prompt: Classified): Float32Array | null {
  const { vector = null, own = vector } = prompt;
  return needsContext(prompt) ? vector : own;
}

/** Whether a turn says too little to be understood without its context. */
export function needsContext({ words = Number.POSITIVE_INFINITY }: Pick<Classified, 'words'>): boolean {
  return words < FEW_WORDS;
}

/** What a territory says of a prompt, each part found when it is first asked for. */
interface Found {
  readonly territory: Territory;
  /** The expert of which the prompt is a sample. */
  readonly sampled: number | null;
  fits: Float64Array | null;
  alike: number | null;
}

function foundOf(territory: Territory, prompt: Classified): Found {
  const known = prompt.found as Found | undefined;
  if (known?.territory === territory) return known;
  const { claims } = territory;
  const own = prompt.own ?? prompt.vector;
  const sampled = claims && own ? sampledBy(claims, own) : null;
  const found: Found = { territory, sampled, fits: null, alike: null };
  prompt.found = found;
  return found;
}

/** The expert of which the prompt is a sample, or null. */
export function sampledIn(territory: Territory, prompt: Classified): number | null {
  return foundOf(territory, prompt).sampled;
}

/** The greatest cosine between a turn and one that continues any conversation; 0 without texts. */
export function continuesIn(territory: Territory, prompt: Classified): number {
  const { claims } = territory;
  if (!claims || !prompt.own) return 0;
  const found = foundOf(territory, prompt);
  found.alike ??= continues(claims, prompt.own);
  return found.alike;
}

/**
 * How well each expert suits a prompt: 1 for the best, towards 0. By what the prompt says where experts have texts; a
 * cluster that the config gives to an expert comes before that, and where there are no texts the clusters decide alone.
 */
export function fitsOf(territory: Territory, prompt: Classified): Float64Array {
  const found = foundOf(territory, prompt);
  found.fits ??= freshFits(found, prompt);
  return found.fits;
}

function freshFits({ territory, sampled }: Found, prompt: Classified): Float64Array {
  const { claims, owners, pinned, learned } = territory;
  const { cluster, distances } = prompt;
  const scored = sampled === null ? learnedChoice(learned, prompt) : null;
  if (scored) return scored.affinities;
  const said = saidBy(prompt);
  if (!claims || said === null) return affinities(expertDistances(territory, distances));
  const fits = claimedBeside(claims, said, sampled);
  if (!pinned?.has(cluster) || sampled !== null) return fits;
  return fits.map((fit, expert) => (expert === owners[cluster] ? 1 : Math.min(fit, BESIDE_A_PIN)));
}

/** The two experts that claim a prompt most, by what it says alone, and the slopes of their claims. */
export interface Contest {
  readonly first: number;
  readonly second: number;
  /** The vector that they claim it by. */
  readonly said: Float32Array;
  readonly slopes: readonly [ClaimSlope, ClaimSlope];
}

/** @returns null where no two claim it, or another rule than what it says decided: a sample, a score, a pin, or that it is outside */
export function contestOf(territory: Territory, prompt: Classified): Contest | null {
  const { claims, learned, pinned } = territory;
  const said = saidBy(prompt);
  if (!claims || said === null || prompt.outside || pinned?.has(prompt.cluster)) return null;
  if (sampledIn(territory, prompt) !== null || learnedChoice(learned, prompt)) return null;
  const fits = fitsOf(territory, prompt);
  const [first, second] = Array.from(fits, (_, expert) => expert).sort((a, b) => fits[b]! - fits[a]!);
  if (first === undefined || second === undefined) return null;
  const [one, other] = [claimSlope(claims, said, first), claimSlope(claims, said, second)];
  return one && other && { first, second, said, slopes: [one, other] };
}

/** Whether there is nothing to tell the experts apart by: no texts, no clusters, no fallback. */
export function isBalanced({ claims, learned, owners, fallback }: Territory): boolean {
  return !claims && !learned && fallback === null && owners.every((owner) => owner === NOBODY);
}
