/** From a config's experts to a territory: descriptions and samples are embedded like prompts. */
import type { RouterModel } from '../model/router-model.ts';
import { plainText } from '../text/routable.ts';
import { assignClusters, type ClusterAssignment, type ExpertProfile } from './assignment.ts';
import {
  type Claims,
  type ClaimText,
  claimsOf,
  type EmbeddedTopic,
  nearestTopic,
  phrasesOf,
} from './claims.ts';
import { learnedOf, type Worth } from './learned.ts';
import type { Territory } from './territory.ts';
import { CONTINUATIONS, TOPICS } from './topics.ts';

type AnyEmbedding = RouterModel['embedding'];

/** The part of an expert's config that decides what it serves. */
export interface DescribedExpert {
  readonly id: string;
  /** What it is good at, in a sentence. */
  readonly description?: string | undefined;
  /** Typical prompts; they outrank the description, and a prompt equal to one goes to its expert. */
  readonly samples?: readonly string[] | undefined;
  /** Clusters it serves, by number or name; they take precedence over description and samples. */
  readonly clusters?: readonly (number | string)[] | undefined;
  /** Takes what no other expert claims, and prompts unlike anything the router model knows; one expert at most. */
  readonly fallback?: boolean | undefined;
}

/** Everything that follows from a config's experts and a router model. */
export interface Described {
  readonly territory: Territory;
  /** One per cluster, in order. */
  readonly assignments: readonly ClusterAssignment[];
  readonly claims: Claims | null;
}

/**
 * Which expert serves which cluster: one assignment per cluster, in order.
 * @throws UserError for a cluster that does not exist or that two experts name
 */
export async function assignExperts(
  model: RouterModel,
  experts: readonly DescribedExpert[],
): Promise<readonly ClusterAssignment[]> {
  return (await describeExperts(model, experts)).assignments;
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
  return (await describeExperts(model, experts, worth)).territory;
}

/** @throws UserError as `assignExperts` does */
export async function describeExperts(
  model: RouterModel,
  experts: readonly DescribedExpert[],
  worth: Worth = QUALITY_ALONE,
): Promise<Described> {
  const { embedding } = model;
  const profiles = await Promise.all(experts.map((expert) => profileOf(expert, embedding)));
  const { topics, continuing } = await commonTexts(embedding);
  const claims = claimsOf(profiles, topics, embedding.dimensions, continuing);
  const assignments = assignClusters(model, profiles, claims);
  const fallback = experts.findIndex((expert) => expert.fallback);
  const ids = experts.map((expert) => expert.id);
  const pinned = new Set(assignments.filter(({ how }) => how === 'named').map(({ cluster }) => cluster));
  return {
    claims,
    assignments,
    territory: {
      experts: ids,
      owners: assignments.map((one) => one.expert),
      fallback: fallback >= 0 ? fallback : null,
      pinned,
      claims,
      learned: model.quality ? learnedOf(model.quality, ids, pinned, worth, claims) : null,
    },
  };
}

async function profileOf(expert: DescribedExpert, embedding: AnyEmbedding): Promise<ExpertProfile> {
  const embedded = (kind: ClaimText['kind'], texts: readonly string[]): Promise<ClaimText[]> =>
    Promise.all(texts.map(async (text) => ({ text, kind, vector: await vectorOf(text, embedding) })));
  return {
    id: expert.id,
    clusters: expert.clusters ?? [],
    texts: [
      ...(await embedded('description', expert.description ? phrasesOf(expert.description) : [])),
      ...(await embedded('sample', expert.samples ?? [])),
    ],
    fallback: expert.fallback ?? false,
  };
}

interface CommonTexts {
  readonly topics: readonly EmbeddedTopic[];
  readonly continuing: readonly Float32Array[];
}

/** By embedding: a reload, a dry run and a map of clusters all ask for the same ones. */
const remembered = new WeakMap<AnyEmbedding, Promise<CommonTexts>>();

function commonTexts(embedding: AnyEmbedding): Promise<CommonTexts> {
  const found = remembered.get(embedding) ?? embedCommon(embedding);
  remembered.set(embedding, found);
  return found;
}

async function embedCommon(embedding: AnyEmbedding): Promise<CommonTexts> {
  const vectors = (texts: readonly string[]): Promise<Float32Array[]> =>
    Promise.all(texts.map((text) => vectorOf(text, embedding)));
  return {
    topics: await Promise.all(
      TOPICS.map(async ({ name, of, prompts }) => ({ name, of, vectors: await vectors(prompts.flat()) })),
    ),
    continuing: await vectors(CONTINUATIONS),
  };
}

/** The topic that each text is nearest to by its vector, be it by little, in order; null where none is known. */
export async function topicsNear(
  vectors: Iterable<Float32Array>,
  embedding: AnyEmbedding,
): Promise<readonly (string | null)[]> {
  const { topics } = await commonTexts(embedding);
  return Array.from(vectors, (vector) => {
    const [topic] = nearestTopic(vector, topics, 0);
    return topic === undefined ? null : topics[topic]!.name;
  });
}

async function vectorOf(text: string, embedding: AnyEmbedding): Promise<Float32Array> {
  return (await embedding.embed(plainText(text))).vector;
}
