/**
 * What is told of a choice, worked out when somebody looks: of most nobody does. Of a prompt it keeps the conversation's
 * key, which is never told as it is.
 */
import { hash } from 'node:crypto';
import { NOBODY, type Territory } from '../../deciding/routing/territory.ts';
import type { Routed } from '../gateway/router.ts';
import type { Choice, Dot } from './wire.ts';

const NEAREST_TOLD = 3;
const RANKING_TOLD = 6;

export class LazyChoice {
  readonly #decision: Routed['decision'];
  readonly #classification: Routed['classification'];
  readonly #prefixKey: string | null;
  readonly #cold: boolean;
  readonly #owner: string | null;
  readonly #secret: string;
  #whole: Choice | null = null;

  /** @param cold whether the expert has to be started first */
  constructor(
    { decision, classification, view }: Routed,
    territory: Pick<Territory, 'experts' | 'owners'>,
    cold: boolean,
    secret: string,
  ) {
    this.#cold = cold;
    this.#owner = territory.experts[territory.owners[classification.cluster] ?? NOBODY] ?? null;
    this.#decision = decision;
    this.#classification = classification;
    this.#prefixKey = view.prefixKey;
    this.#secret = secret;
  }

  get expert(): string {
    return this.#decision.expert;
  }

  get home(): string {
    return this.#decision.home;
  }

  get cluster(): number {
    return this.#classification.cluster;
  }

  get outside(): boolean {
    return this.#classification.outside;
  }

  get whole(): Choice {
    this.#whole ??= {
      ...choiceOf(this.#decision, this.#classification),
      cold: this.#cold,
      owner: this.#owner,
      conversation: this.#prefixKey === null ? null : disguised(this.#prefixKey, this.#secret),
    };
    return this.#whole;
  }
}

function choiceOf(
  { expert, home, reason, spilledFor, ranking }: Routed['decision'],
  classification: Routed['classification'],
): Omit<Choice, 'cold' | 'owner' | 'conversation'> {
  const { cluster, name, confidence, outside, distances } = classification;
  return {
    expert,
    home,
    reason,
    spilledFor,
    cluster,
    clusterName: name,
    confidence,
    outside,
    near: nearest(distances),
    // One that takes no requests is ranked last, also where it suits best.
    ranking: ranking
      .filter((one, place) => place < RANKING_TOLD || one.expert === home)
      .map((one) => [one.expert, round(one.affinity)]),
  };
}

/** The key of a conversation holds its first words, which nobody is to read or to guess. */
function disguised(key: string, secret: string): string {
  return hash('sha256', secret + key).slice(0, 12);
}

/** The nearest clusters, nearest first. */
function nearest(distances: Float32Array): readonly (readonly [number, number])[] {
  const best: [number, number][] = [];
  for (let cluster = 0; cluster < distances.length; cluster++) {
    const distance = distances[cluster]!;
    if (best.length === NEAREST_TOLD && distance >= best[NEAREST_TOLD - 1]![1]) continue;
    let place = best.length;
    while (place > 0 && best[place - 1]![1] > distance) place -= 1;
    best.splice(place, 0, [cluster, round(distance)]);
    if (best.length > NEAREST_TOLD) best.pop();
  }
  return best;
}

/** A prompt of it on the map. */
export function dotOf({ expert, home, near }: Choice): Dot {
  const dot: [string, 0 | 1, ...number[]] = [expert, expert === home ? 0 : 1];
  for (const [cluster, distance] of near) dot.push(cluster, distance);
  return dot;
}

function round(value: number): number {
  return Math.round(value * 1e3) / 1e3;
}
