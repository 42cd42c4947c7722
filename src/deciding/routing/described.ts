/** Assigns clusters to experts as a config describes them: descriptions and samples are embedded like prompts. */
import type { RouterModel } from '../model/router-model.ts';
import { plainText } from '../text/routable.ts';
import { assignClusters, type ClusterAssignment, type ExpertProfile } from './assignment.ts';
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

/** @throws UserError as `assignExperts` does */
export async function territoryOf(
  model: RouterModel,
  experts: readonly DescribedExpert[],
): Promise<Territory> {
  const fallback = experts.findIndex((expert) => expert.fallback);
  return {
    experts: experts.map((expert) => expert.id),
    owners: (await assignExperts(model, experts)).map((one) => one.expert),
    fallback: fallback >= 0 ? fallback : null,
  };
}

async function profile(expert: DescribedExpert, { embedding }: RouterModel): Promise<ExpertProfile> {
  const texts = [...(expert.description ? [expert.description] : []), ...(expert.samples ?? [])];
  return {
    id: expert.id,
    clusters: expert.clusters ?? [],
    texts: await Promise.all(
      texts.map(async (text) => ({ text, vector: (await embedding.embed(plainText(text))).vector })),
    ),
    fallback: expert.fallback ?? false,
  };
}
