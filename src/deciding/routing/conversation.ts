/**
 * Which expert is a conversation's home. A fold over its user turns, which every request carries: no session is stored,
 * so every worker, the dry run and the simulator find the same home.
 */
import { learnedChoice } from './learned.ts';
import { affinities, type Classified, expertDistances, type Territory } from './territory.ts';

/** A turn moves the conversation only if the current expert's affinity to it is below this. */
export const STAY_AFFINITY = 0.5;

/** `learned`: scores of the experts on like prompts say so. */
export type HomeReason = 'nearest-cluster' | 'learned' | 'conversation' | 'outside';

export interface Home {
  /** Index into the territory's experts. */
  readonly expert: number;
  readonly reason: HomeReason;
}

/**
 * The rule: the first turn settles the expert (by scores where they were learned, else by the nearest cluster; the
 * fallback when it lies outside). A later
 * turn keeps it, unless the turn lies inside and the expert's affinity to it is below `STAY_AFFINITY`; then the
 * turn's own expert takes over.
 * @param turns classified user turns, oldest first, at least one
 * @returns the home after the last turn, and the expert that was home before it; null when it is the first
 */
export function conversationHome(
  territory: Territory,
  turns: readonly Classified[],
): Home & { readonly before: number | null } {
  let home = turnHome(territory, turns[0]!);
  let before: number | null = null;
  for (let turn = 1; turn < turns.length; turn++) {
    before = home.expert;
    home = nextHome(territory, home, turns[turn]!);
  }
  return { expert: home.expert, reason: home.reason, before };
}

function nextHome(territory: Territory, home: Home, turn: Classified): Home {
  const own = turnHome(territory, turn);
  if (own.expert === home.expert) return own;
  const toPresent = turnAffinities(territory, turn)[home.expert]!;
  const clearlyElsewhere = !turn.outside && toPresent < STAY_AFFINITY;
  return clearlyElsewhere ? own : { expert: home.expert, reason: 'conversation' };
}

function turnHome(territory: Territory, turn: Classified): Home {
  if (turn.outside && territory.fallback !== null) return { expert: territory.fallback, reason: 'outside' };
  const learned = learnedChoice(territory.learned, turn);
  if (learned) return { expert: learned.expert, reason: 'learned' };
  return { expert: territory.owners[turn.cluster]!, reason: 'nearest-cluster' };
}

/** Affinity of each expert to a turn: by lost score where scores were learned, else by distance. */
export function turnAffinities(territory: Territory, turn: Classified): Float64Array {
  return (
    learnedChoice(territory.learned, turn)?.affinities ??
    affinities(expertDistances(territory, turn.distances))
  );
}
