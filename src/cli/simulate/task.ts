/** One simulated stage of a scenario, from plain values: what a worker is given, and what a single process does itself. */

import { POLICIES } from '../../deciding/routing/policies/index.ts';
import { bindChoice, type PolicyChoice } from '../../deciding/routing/policy-choice.ts';
import { simulateFleet } from '../../simulating/fleet/event-loop.ts';
import type { StageMeasures } from '../../simulating/fleet/measures.ts';
import { composeClusters, composeExperts, composeLoad, composeScenario, type Load } from './compose.ts';
import type { PlacementFile, ScenarioFile } from './scenario-file.ts';

export interface StageTask {
  readonly file: ScenarioFile;
  readonly placement: PlacementFile;
  readonly policy: PolicyChoice;
  /** Which of the load's stages. */
  readonly stage: number;
}

/** What a thread answers: the stage's figures, what the person at the keyboard did wrong, or what we did. */
export type Answer =
  | { readonly measures: StageMeasures }
  | { readonly refused: string }
  | { readonly failed: string };

/** Loads read and clusters made so far; a sweep asks for the same again and again. */
export class StageRunner {
  #load: Promise<Load> | null;
  readonly #clusters = new Map<number, ReturnType<typeof composeClusters>>();

  /** @param load where it is read already */
  constructor(load?: Load) {
    this.#load = load === undefined ? null : Promise.resolve(load);
  }

  async run({ file, placement, policy, stage }: StageTask): Promise<StageMeasures> {
    this.#load ??= composeLoad(file);
    const load = await this.#load;
    const experts = await composeExperts(placement, load);
    const clusters = this.#clusters.get(experts.length) ?? composeClusters(file, experts.length, load);
    this.#clusters.set(experts.length, clusters);
    return simulateFleet(
      composeScenario(file, load, experts, await clusters, bindChoice(POLICIES, policy), load.stages[stage]!),
    );
  }
}
