/** What users ask, as the gateway's classifier would tell of it. */
import { type Classified, distanceOf, type Territory } from '../../deciding/routing/territory.ts';
import { ringAffinities } from '../workload/clusters.ts';

/** Experts are told by their index in the scenario. */
export interface Prompts extends Omit<Territory, 'experts'> {
  /** The kinds of prompt: of each the classified user turns that its request carries, oldest first. */
  readonly turns: readonly (readonly Classified[])[];
  /** Of each the expert that has its conversation cached, by index; null for none. None has any when absent. */
  readonly livesAt?: readonly (number | null)[];
}

/** From a prompt to the nearest centroid; any value gives the same affinities. */
const NEAREST = 0.5;

/** `kinds` kinds of prompt over experts that serve a cluster each, with affinities around a ring. */
export function ringPrompts(kinds: number, experts: number): Prompts {
  return {
    owners: Array.from({ length: experts }, (_, expert) => expert),
    fallback: null,
    turns: Array.from({ length: kinds }, (_, kind) => [
      {
        cluster: kind % experts,
        distances: Float32Array.from(ringAffinities(kind, experts), (affinity) =>
          distanceOf(affinity, NEAREST),
        ),
        outside: false,
      },
    ]),
  };
}
