/** What users ask, as the gateway's classifier would tell of it. */
import { type Classified, distanceOf, type Territory } from '../../deciding/routing/territory.ts';
import { ringAffinities } from '../workload/clusters.ts';

/** Experts are told by their index in the scenario. */
export interface Prompts extends Omit<Territory, 'experts'> {
  /** The kinds of prompt: of each the classified user turns that its request carries, oldest first. */
  readonly turns: readonly (readonly Classified[])[];
  /** Of each what its conversation belongs to, where that is known already and not for its turns to say; null where not. */
  readonly settled?: readonly (Settled | null)[];
  /** Of each the experts that take no requests when it comes; none when absent. */
  readonly unavailable?: readonly (readonly number[])[];
}

/** Experts, by index. */
interface Settled {
  readonly home: number;
  /** That has the conversation cached; null at its beginning. */
  readonly before: number | null;
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
