/**
 * Which expert is a conversation's home. A fold over its user turns, which every request carries, so that every worker,
 * the dry run and the simulator find the same home; where it is remembered that another expert has answered it so far,
 * that one is its home before the last turn.
 */
import { learnedChoice } from './learned.ts';
import {
  type Classified,
  continuesIn,
  fitsOf,
  isBalanced,
  NOBODY,
  sampledIn,
  type Territory,
} from './territory.ts';

/**
 * A turn moves the conversation if what the present expert lacks to suit it (1 − its affinity), times how much the turn
 * says by itself, exceeds this; a long conversation asks for more.
 */
export const LEAVING = 0.3;

/** What is added to `LEAVING` after many turns with the same expert. */
const LOYALTY = 0.15;
/** Words after which a turn says 63 % of what a long one does. */
const WORDS = 4;

/**
 * `nearest-cluster`: the expert that claims the prompt, or owns its cluster. `balanced`: nothing tells the experts
 * apart. `learned`: scores of the experts on like prompts say so.
 */
export type HomeReason = 'nearest-cluster' | 'learned' | 'conversation' | 'outside' | 'balanced';

export interface Home {
  /** Index into the territory's experts. */
  readonly expert: number;
  readonly reason: HomeReason;
}

/**
 * The rule: the first turn settles the expert (by scores where they were learned, else the best suited; the
 * fallback when it lies outside). A later turn
 * keeps it, unless the turn lies inside and has evidence enough against it (`LEAVING`); then the turn's own expert takes
 * over. An opening that says nothing ("hello") binds nobody.
 * @param turns classified user turns, oldest first, at least one
 * @param livesAt the expert that has answered it so far, where that is remembered
 * @returns the home after the last turn, and the expert that was home before it; null when it is the first
 */
export function conversationHome(
  territory: Territory,
  turns: readonly Classified[],
  livesAt: number | null = null,
): Home & { readonly before: number | null } {
  let home = null as Home | null;
  let before: number | null = null;
  let said = 0;
  for (let at = 0; at < turns.length; at++) {
    const turn = turns[at]!;
    if (home !== null) {
      const own = evidenceOf(territory, turns[at - 1]!);
      said = home.expert === before ? said + own : own;
    }
    if (at === turns.length - 1 && livesAt !== null && livesAt !== home?.expert)
      home = { expert: livesAt, reason: 'conversation' };
    before = home?.expert ?? null;
    home = home === null ? turnHome(territory, turn) : nextHome(territory, home, turn, said);
  }
  return { expert: home!.expert, reason: home!.reason, before };
}

/**
 * 0 to 1: how much a turn says by itself: less when it is short, and less the more it is like turns that continue any
 * conversation.
 */
function evidenceOf(territory: Territory, turn: Classified): number {
  const { words = Number.POSITIVE_INFINITY } = turn;
  return (1 - Math.exp(-words / WORDS)) * (1 - continuesIn(territory, turn));
}

/** @param said evidence of the turns since the conversation came to its present home */
function nextHome(territory: Territory, home: Home, turn: Classified, said: number): Home {
  const own = turnHome(territory, turn);
  if (own.expert === home.expert) return { expert: home.expert, reason: own.reason };
  const lost = 1 - fitsOf(territory, turn)[home.expert]!;
  const needed = LEAVING + LOYALTY * (1 - Math.exp(-said / 2)) - LOYALTY / 2;
  const enough = !turn.outside && own.reason !== 'balanced' && lost * evidenceOf(territory, turn) > needed;
  const moves = enough || sampledIn(territory, turn) !== null;
  return moves ? own : { expert: home.expert, reason: 'conversation' };
}

function turnHome(territory: Territory, turn: Classified): Home {
  const { fallback, owners } = territory;
  if (isBalanced(territory)) return { expert: spread(turn, territory.experts.length), reason: 'balanced' };
  // A prompt equal to a sample goes to the sample's expert, always.
  const sampled = sampledIn(territory, turn);
  if (sampled !== null) return { expert: sampled, reason: 'nearest-cluster' };
  if (turn.outside && fallback !== null) return { expert: fallback, reason: 'outside' };
  const learned = learnedChoice(territory.learned, turn);
  if (learned) return { expert: learned.expert, reason: 'learned' };
  if (!territory.claims || turn.vector === undefined) {
    const owner = owners[turn.cluster]!;
    if (owner !== NOBODY) return { expert: owner, reason: 'nearest-cluster' };
    if (fallback !== null) return { expert: fallback, reason: 'nearest-cluster' };
  }
  return { expert: best(fitsOf(territory, turn)), reason: 'nearest-cluster' };
}

function best(fits: Float64Array): number {
  let found = 0;
  for (let expert = 1; expert < fits.length; expert++) if (fits[expert]! > fits[found]!) found = expert;
  return found;
}

/** One of so many, the same for the same text, each as often as the others. */
function spread({ own, vector = own, cluster }: Classified, experts: number): number {
  if (!vector) return cluster % experts;
  let hash = 0x811c9dc5;
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return (Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 8) % experts;
}
