/**
 * Real prompts as the source of clusters: each is classified and ranked by the gateway's own code, with a config's
 * router model and assignment, and stands for one cluster of the simulation. It simulates nothing.
 */

import { UserError } from '../../core/errors.ts';
import { findSources } from '../../learning/training/sources/files.ts';
import { readPrompts } from '../../learning/training/sources/read.ts';
import { composeRouter, DEFAULT_CONFIG, idleLoads, loadRouterModel } from '../../serving/app/compose.ts';
import { loadConfig } from '../../serving/config/load.ts';
import { parseRequest } from '../../serving/gateway/request.ts';
import type { FleetScenario } from '../../simulating/fleet/scenario.ts';

/** More would change the shares by less than a percent. */
const MOST_PROMPTS = 5_000;

/**
 * @param prompts a file or folder of prompts, in any format that `train` reads
 * @param config whose experts and router model decide; the built-in one when absent
 * @returns one cluster a prompt, all equally frequent, and each expert's affinity to it in the config's order
 * @throws UserError when the config has another number of experts than the placement, or there is no prompt
 */
export async function realPrompts(
  prompts: string,
  config: string | undefined,
  experts: number,
): Promise<Pick<FleetScenario, 'shares' | 'affinities'>> {
  const loaded = await loadConfig(config ?? DEFAULT_CONFIG, process.env);
  if (loaded.experts.length !== experts) {
    throw new UserError(
      `clusters.config: has ${loaded.experts.length} experts, but the placement ${experts}; they must agree.`,
    );
  }
  // Whatever the scenario's policy: it is fed these affinities, and must not be applied twice.
  const router = await composeRouter(
    { ...loaded, policy: 'nearest' },
    await loadRouterModel(loaded),
    idleLoads(loaded),
  );
  const affinities: number[][] = [];
  for (const file of await findSources([prompts], [])) {
    for await (const prompt of readPrompts(file, {})) {
      if (affinities.length >= MOST_PROMPTS) break;
      const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: prompt }] }));
      const { ranking } = (await router.route(parseRequest('chat', body), undefined)).decision;
      affinities.push(
        loaded.experts.map(({ id }) => ranking.find((ranked) => ranked.expert === id)!.affinity),
      );
    }
  }
  if (affinities.length === 0) throw new UserError(`clusters.prompts: no prompt in ${prompts}.`);
  return { shares: affinities.map(() => 1 / affinities.length), affinities };
}
