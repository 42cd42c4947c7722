/**
 * Which replica of an expert takes a request: the one that has the conversation's prefix cached, unless it has more
 * than its share of load; else the least loaded. A pure function of snapshots.
 */

export interface ReplicaSnapshot {
  /** Stable name, such as its address: what stickiness is computed from. */
  readonly name: string;
  /** Prompt estimate plus expected output of all its requests, in tokens; other clients' requests are estimated. */
  readonly outstandingTokens: number;
  /** Its share of the work relative to its siblings; > 0. */
  readonly weight: number;
  readonly available: boolean;
  /** Its KV cache has no room for one more: it comes after all replicas with a free slot. */
  readonly full: boolean;
  /** It would have to load the expert's LoRA adapter first: it comes after those that need not and hold their share. */
  readonly unloaded?: boolean;
}

/**
 * A sticky replica may hold this much more than the mean per weight (consistent hashing with bounded loads, Mirrokni et
 * al. 2018).
 */
const BOUND = 1.25;
/** Tokens added to every bound, so that requests still stick when replicas are nearly idle. */
const SLACK_TOKENS = 2_000;

/**
 * The index of the replica that should take a request, or null when none is available. One pass for the bound and
 * one for the choice, because the simulator chooses among hundreds.
 * @param prefixKey equal for requests that share a prefix (a conversation); null for none
 */
export function chooseReplica(replicas: readonly ReplicaSnapshot[], prefixKey: string | null): number | null {
  let tokens = 0;
  let weight = 0;
  let least: number | null = null;
  let allFull = true;
  let someUnloaded = false;
  for (let index = 0; index < replicas.length; index++) {
    const replica = replicas[index]!;
    if (!replica.available) continue;
    tokens += replica.outstandingTokens;
    weight += replica.weight;
    allFull &&= replica.full;
    someUnloaded ||= replica.unloaded === true;
    if (least === null || isFreer(replica, replicas[least]!)) least = index;
  }
  const bound = BOUND * (tokens / weight) + SLACK_TOKENS;
  if (someUnloaded) {
    const loaded = replicas.map((one) => ({
      ...one,
      available: one.available && hasLoaded(one, bound, allFull),
    }));
    if (loaded.some(({ available }) => available))
      return chooseReplica(
        loaded.map((one) => ({ ...one, unloaded: false })),
        prefixKey,
      );
  }
  if (prefixKey === null) return least;
  return sticky(replicas, hash(prefixKey), bound, allFull) ?? least;
}

function hasLoaded(replica: ReplicaSnapshot, bound: number, fullToo: boolean): boolean {
  return !replica.unloaded && (fullToo || !replica.full) && pressure(replica) <= bound;
}

/**
 * What `chooseReplica` chooses among replicas of weight 1 that are all available and have room, in one pass over plain
 * numbers: the simulator chooses among hundreds, for millions of requests.
 * @param names `hash` of each replica's name
 * @param tokens outstanding tokens of each
 * @param sum of `tokens`
 */
export function chooseAlike(
  names: Uint32Array,
  tokens: Float64Array,
  sum: number,
  prefixKey: string,
): number | null {
  const bound = BOUND * (sum / names.length) + SLACK_TOKENS;
  const key = hash(prefixKey);
  let best: number | null = null;
  let most = -1;
  for (let index = 0; index < names.length; index++) {
    // The least loaded holds no more than the mean, so somebody is always within the bound.
    if (tokens[index]! > bound) continue;
    const place = mix(names[index]! ^ key);
    if (place <= most) continue;
    best = index;
    most = place;
  }
  return best;
}

function isFreer(one: ReplicaSnapshot, other: ReplicaSnapshot): boolean {
  return one.full === other.full ? pressure(one) < pressure(other) : other.full;
}

function pressure(replica: ReplicaSnapshot): number {
  return replica.outstandingTokens / replica.weight;
}

/**
 * The first replica, in the key's order, that holds at most `bound`; null if none does. The order is weighted
 * rendezvous hashing (Thaler & Ravishankar 1998; score −w / ln u, Schindelhauer & Schomaker 2005): adding or removing a
 * replica moves only that replica's keys.
 */
function sticky(
  replicas: readonly ReplicaSnapshot[],
  key: number,
  bound: number,
  fullToo: boolean,
): number | null {
  let best: number | null = null;
  let bestUniform = 0;
  for (let index = 0; index < replicas.length; index++) {
    const replica = replicas[index]!;
    if (!replica.available || (replica.full && !fullToo) || pressure(replica) > bound) continue;
    const uniform = (mix(hash(replica.name) ^ key) + 0.5) / 2 ** 32;
    if (best !== null && !precedes(replica.weight, uniform, replicas[best]!.weight, bestUniform)) continue;
    best = index;
    bestUniform = uniform;
  }
  return best;
}

function precedes(weight: number, uniform: number, otherWeight: number, otherUniform: number): boolean {
  // Among equal weights, the usual case, the order is that of the uniform numbers, and needs no logarithms.
  if (weight === otherWeight) return uniform > otherUniform;
  return -weight / Math.log(uniform) > -otherWeight / Math.log(otherUniform);
}

/** FNV-1a, 32 bits, with a final mix so that similar texts spread. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

/** The final mix of MurmurHash3: every bit of the input reaches every bit of the result. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
