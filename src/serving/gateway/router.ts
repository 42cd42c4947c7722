/**
 * The choice for one request: text, classification, decision. The data path and the dry run call this same
 * code; it holds the router model and the experts' territory, and speaks to nobody.
 */

import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { nearestName } from '../../core/suggest.ts';
import { type Classification, classify } from '../../deciding/model/classify.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import { type Decision, decide, decideFor } from '../../deciding/routing/decide.ts';
import type { LoadSnapshot, Policy } from '../../deciding/routing/policy.ts';
import type { Territory } from '../../deciding/routing/territory.ts';
import type { RoutableText } from '../../deciding/text/routable.ts';
import { AUTO, type ParsedRequest } from './request.ts';

export interface Routed {
  /** Of the last user turn, with what its conversation adds. */
  readonly classification: Classification;
  readonly text: RoutableText;
  readonly decision: Decision;
  /** Equal for the turns of one conversation, so that they can go to the replica that has its prefix cached. */
  readonly affinityKey: string | null;
}

export interface RouterParts {
  readonly model: RouterModel;
  readonly territory: Territory;
  readonly policy: Policy;
  /** Seconds of waiting worth one unit of affinity, for policies that trade the two. */
  readonly secondsPerAffinity: number;
  /** The load of each expert now, in the territory's order. */
  loads(): readonly LoadSnapshot[];
  /** Uniform in [0, 1). */
  random(): number;
}

export class Router {
  readonly model: RouterModel;
  readonly territory: Territory;
  readonly #parts: RouterParts;
  #sequence = 0;

  constructor(parts: RouterParts) {
    this.model = parts.model;
    this.territory = parts.territory;
    this.#parts = parts;
  }

  /**
   * @param forced the expert a request header demands, which outranks the body's model name
   * @throws RouterError `model_not_found` for a name that is neither `auto` nor an expert
   */
  route(request: ParsedRequest, forced: string | undefined): Routed {
    const { turns } = request;
    const classified = turns.map((turn) => classify(this.model, turn));
    const classification = classified.at(-1)!;
    return {
      classification,
      text: turns.at(-1)!,
      decision: this.#decide(request.model, forced, classified),
      affinityKey: request.affinityKey,
    };
  }

  #decide(model: string, forced: string | undefined, turns: readonly Classification[]): Decision {
    if (forced !== undefined) return decideFor(this.territory, this.#known(forced), turns, 'forced');
    if (model !== AUTO) return decideFor(this.territory, this.#known(model), turns, 'named');
    const { policy, loads, random, secondsPerAffinity } = this.#parts;
    const context = { random: random(), sequence: this.#sequence++, secondsPerAffinity };
    return decide(this.territory, turns, loads(), policy, context);
  }

  #known(expert: string): string {
    const { experts } = this.territory;
    if (experts.includes(expert)) return expert;
    const near = nearestName(expert, experts);
    throw new RouterError(
      'model_not_found',
      `There is no expert '${excerpt(expert)}'${near ? `; did you mean '${near}'?` : '.'} Known: ${AUTO}, ${experts.join(', ')}.`,
      { param: 'model' },
    );
  }
}
