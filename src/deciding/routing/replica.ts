/**
 * Which replica of an expert takes a request: the one its conversation's prefix is cached at, unless that one has
 * more than its share of load; else the least loaded. Pure, over snapshots.
 */

export interface ReplicaSnapshot {
  /** Stable name, such as its address: what stickiness is computed from. */
  readonly name: string;
  /** Prompt estimate plus expected output of all requests it holds, in tokens; others' requests estimated. */
  readonly outstandingTokens: number;
  /** Its share of the work relative to its siblings; > 0. */
  readonly weight: number;
  readonly available: boolean;
  /** Its KV cache has no room for one more: it counts as having no free slot, and comes after all that have. */
  readonly full: boolean;
}

/** A sticky replica may hold this much more than the mean per weight (consistent hashing with bounded loads, Mirrokni et al. 2018). */
const BOUND = 1.25;
/** Tokens by which every bound is widened, so that a nearly idle fleet still sticks. */
const SLACK_TOKENS = 2_000;

/**
 * All replicas that are available, best first: index 0 should take the request, the others are its fallback.
 * @param affinityKey equal for requests that share a prefix (a conversation); null for none
 */
export function rankReplicas(
  replicas: readonly ReplicaSnapshot[],
  affinityKey: string | null,
): readonly number[] {
  const available = replicas.flatMap((replica, index) => (replica.available ? [index] : []));
  const byLoad = available.toSorted(
    (a, b) =>
      Number(replicas[a]!.full) - Number(replicas[b]!.full) ||
      pressure(replicas[a]!) - pressure(replicas[b]!),
  );
  if (affinityKey === null || available.length < 2) return byLoad;
  const roomy = available.filter((index) => !replicas[index]!.full);
  const sticky = (roomy.length > 0 ? roomy : available)
    .toSorted((a, b) => rendezvous(replicas[b]!, affinityKey) - rendezvous(replicas[a]!, affinityKey))
    .find((index) => pressure(replicas[index]!) <= bound(available.map((other) => replicas[other]!)));
  return sticky === undefined ? byLoad : [sticky, ...byLoad.filter((index) => index !== sticky)];
}

function pressure(replica: ReplicaSnapshot): number {
  return replica.outstandingTokens / replica.weight;
}

function bound(replicas: readonly ReplicaSnapshot[]): number {
  const tokens = replicas.reduce((sum, replica) => sum + replica.outstandingTokens, 0);
  const weight = replicas.reduce((sum, replica) => sum + replica.weight, 0);
  return BOUND * (tokens / weight) + SLACK_TOKENS;
}

/**
 * Weighted rendezvous hashing (Thaler & Ravishankar 1998; weights by −w / ln u, Schindelhauer & Schomaker 2005): a
 * key's order of replicas changes only where a replica comes or goes.
 */
function rendezvous(replica: ReplicaSnapshot, key: string): number {
  const uniform = (hash(`${replica.name}\n${key}`) + 0.5) / 2 ** 32;
  return -replica.weight / Math.log(uniform);
}

/** FNV-1a, 32 bits, with a final mix so that similar keys spread. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
