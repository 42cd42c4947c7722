/** Assigns clusters to experts as a config describes them: descriptions and samples are embedded like prompts. */
import type { RouterModel } from '../model/router-model.ts';
import { plainText } from '../text/routable.ts';
import { assignClusters, type ClusterAssignment, type ExpertProfile } from './assignment.ts';
import { learnedOf, type Worth } from './learned.ts';
import type { Territory } from './territory.ts';

/** The part of an expert's config that decides which clusters it serves. */
export interface DescribedExpert {
  readonly id: string;
  /** What it is good at, in a sentence. */
  readonly description?: string | undefined;
  /** Typical prompts. */
  readonly samples?: readonly string[] | undefined;
  /** Clusters it serves, by number or name; they take precedence over description and samples. */
  readonly clusters?: readonly (number | string)[] | undefined;
  /** False for one whose model writes no text: it serves no cluster. */
  readonly text?: boolean | undefined;
  /** Takes prompts unlike anything the router model knows; one expert at most. */
  readonly fallback?: boolean | undefined;
}

/**
 * Which expert serves which cluster: one assignment per cluster, in order.
 * @throws UserError for a cluster that does not exist or that two experts claim
 */
export async function assignExperts(
  model: RouterModel,
  experts: readonly DescribedExpert[],
): Promise<readonly ClusterAssignment[]> {
  return assignClusters(model, await Promise.all(experts.map((expert) => profile(expert, model))));
}

/** Neither cost nor waiting counts. */
export const QUALITY_ALONE: Worth = { score_per_cost: 0, score_per_second: 0 };

/**
 * @param worth what an expert's price counts where scores were learned
 * @throws UserError as `assignExperts` does
 */
export async function territoryOf(
  model: RouterModel,
  experts: readonly DescribedExpert[],
  worth: Worth = QUALITY_ALONE,
): Promise<Territory> {
  const fallback = experts.findIndex((expert) => expert.fallback && expert.text !== false);
  const ids = experts.map((expert) => expert.id);
  const assignments = await assignExperts(model, experts);
  const pinned = new Set(assignments.filter(({ how }) => how === 'named').map(({ cluster }) => cluster));
  return {
    experts: ids,
    owners: assignments.map((one) => one.expert),
    fallback: fallback >= 0 ? fallback : null,
    learned: model.quality ? learnedOf(model.quality, ids, pinned, worth) : null,
  };
}

async function profile(expert: DescribedExpert, { embedding }: RouterModel): Promise<ExpertProfile> {
  const { text: writes = true } = expert;
  const about = [...(expert.description ? [expert.description] : []), ...(expert.samples ?? [])];
  const texts = writes ? about : [];
  return {
    id: expert.id,
    clusters: writes ? (expert.clusters ?? []) : [],
    text: writes,
    texts: await Promise.all(
      texts.map(async (text) => ({ text, vector: (await embedding.embed(plainText(text))).vector })),
    ),
    fallback: writes && (expert.fallback ?? false),
  };
}
