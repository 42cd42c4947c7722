/** What a replica is called where its address must not show: in metrics, logs and answers to clients. */
import type { ExpertGroup } from './group.ts';
import type { Replica } from './replica.ts';

/** The expert's id; where it has several replicas, with the place in the config's list behind it, from 1: `code/2`. */
export function replicaLabel(
  { id, replicas }: Pick<ExpertGroup, 'id' | 'replicas'>,
  replica: Replica,
): string {
  return replicas.length === 1 ? id : `${id}/${replicas.indexOf(replica) + 1}`;
}
