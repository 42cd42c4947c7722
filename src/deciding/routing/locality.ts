/** Prompts that only some experts may answer, such as local ones: the ranking without the others. Pure. */
import type { Decision } from './decide.ts';

export interface Locality {
  /** Ids of the experts that prompts which must stay may go to. */
  readonly experts: ReadonlySet<string>;
  /** Clusters whose prompts must stay. */
  readonly clusters: ReadonlySet<number>;
}

/**
 * The decision among these experts alone, in the same order; where the first was none of them, the reason is `why`.
 * @returns null where there are none, or the one that the client insists on is none of them
 */
export function keptAmong(
  decision: Decision,
  experts: ReadonlySet<string>,
  why: 'local' | 'able',
): Decision | null {
  const ranking = decision.ranking.filter(({ expert }) => experts.has(expert));
  const first = ranking[0]?.expert;
  if (first === undefined) return null;
  if (first === decision.expert) return { ...decision, ranking };
  if (decision.reason === 'named' || decision.reason === 'forced') return null;
  return { ...decision, expert: first, reason: why, ranking };
}
