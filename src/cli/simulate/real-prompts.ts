/**
 * Real prompts for the simulation: each is classified by a config's router model, and its cluster is served by the
 * expert assigned in the config.
 */

import { UserError } from '../../core/errors.ts';
import { classifyAll } from '../../deciding/model/classify.ts';
import type { Classified } from '../../deciding/routing/territory.ts';
import { promptText } from '../../deciding/text/routable.ts';
import { findSources } from '../../learning/training/sources/files.ts';
import { readPrompts } from '../../learning/training/sources/read.ts';
import { composeRouter, DEFAULT_CONFIG, idleLoads, loadRouterModel } from '../../serving/app/compose.ts';
import { loadConfig } from '../../serving/config/load.ts';
import type { FleetScenario } from '../../simulating/fleet/scenario.ts';

/** More would change the shares by less than a percent. */
const MOST_PROMPTS = 5_000;

/**
 * @param prompts a file or folder of prompts, in any format that `train` reads
 * @param config with the experts and router model; the built-in one when absent
 * @returns the prompts, all equally frequent; experts by their index in the config
 * @throws UserError when the config has another number of experts than the placement, or there are no prompts
 */
export async function realPrompts(
  prompts: string,
  config: string | undefined,
  experts: number,
): Promise<Pick<FleetScenario, 'shares' | 'prompts'>> {
  const loaded = await loadConfig(config ?? DEFAULT_CONFIG, process.env);
  if (loaded.experts.length !== experts) {
    throw new UserError(
      `clusters.config: has ${loaded.experts.length} experts, but the placement ${experts}; they must agree.`,
    );
  }
  const { model, territory } = await composeRouter(loaded, await loadRouterModel(loaded), idleLoads(loaded));
  const turns: (readonly Classified[])[] = [];
  for (const file of await findSources([prompts], [])) {
    for await (const prompt of readPrompts(file, {})) {
      if (turns.length >= MOST_PROMPTS) break;
      turns.push(await classifyAll(model, [promptText(prompt)]));
    }
  }
  if (turns.length === 0) throw new UserError(`clusters.prompts: no prompt in ${prompts}.`);
  const { experts: _, ...map } = territory;
  return { shares: turns.map(() => 1 / turns.length), prompts: { ...map, turns } };
}
