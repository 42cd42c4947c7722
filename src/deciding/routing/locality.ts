/** Prompts that may be answered by local experts only: the ranking without the others. Pure. */
import type { Decision } from './decide.ts';

export interface Locality {
  /** Ids of the experts that prompts which must stay may go to. */
  readonly experts: ReadonlySet<string>;
  /** Clusters whose prompts must stay. */
  readonly clusters: ReadonlySet<number>;
}

/**
 * The decision among local experts alone, in the same order; where the first was none of them, the reason is `local`.
 * @returns null where no expert is local, or the one that the client insists on is not
 */
export function keptLocal(decision: Decision, { experts }: Pick<Locality, 'experts'>): Decision | null {
  const ranking = decision.ranking.filter(({ expert }) => experts.has(expert));
  const first = ranking[0]?.expert;
  if (first === undefined) return null;
  if (first === decision.expert) return { ...decision, ranking };
  if (decision.reason === 'named' || decision.reason === 'forced') return null;
  return { ...decision, expert: first, reason: 'local', ranking };
}
