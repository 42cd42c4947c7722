/** What a person should know of a map of experts before trusting it: in sentences that name cause and cure. Pure. */

import { DOUBTFUL } from './assignment.ts';
import { topicNames } from './claims.ts';
import type { Described, DescribedExpert } from './described.ts';
import { NOBODY, type Territory } from './territory.ts';

/** An expert may serve this share of the clusters before it looks like a mistake. */
const MOST = 0.5;
/** Fewer samples than this, without a description that names a known topic, are too few to tell. */
const FEW = 3;

export const NOTHING_TO_ROUTE_BY =
  'There is nothing to route by: no expert has a description, samples or clusters. Conversations are spread evenly; describe the experts in a sentence each.';

const NOT_WEIGHED =
  'The router model learned its scores without this config, so that they alone decide: descriptions and samples do not count. Learn with --config, which finds out how much they should.';

/** A sentence where the experts have texts that the scores were learned without; else none. */
export function notWeighed({ claims, learned }: Territory): readonly string[] {
  return claims && learned && !learned.quality.claims ? [NOT_WEIGHED] : [];
}

export function warningsOf(experts: readonly DescribedExpert[], described: Described): readonly string[] {
  if (described.territory.learned) return notWeighed(described.territory);
  if (experts.length < 2) return [];
  if (!described.claims && described.assignments.every(({ expert }) => expert === NOBODY)) {
    return [NOTHING_TO_ROUTE_BY];
  }
  return [
    ...experts.flatMap((expert, index) => aboutExpert(expert, index, described)),
    ...aboutTopics(experts, described),
    ...sharedSamples(experts),
    ...(experts.some(({ fallback }) => fallback)
      ? []
      : [
          "No expert is marked 'fallback: true': prompts that nobody's texts are about go to whoever's texts are least far.",
        ]),
  ];
}

function aboutExpert(
  { id, fallback = false, description, samples = [], clusters = [] }: DescribedExpert,
  index: number,
  { assignments, claims }: Described,
): readonly string[] {
  if (fallback) return [];
  if (!description && samples.length === 0 && clusters.length === 0) {
    return [`'${id}' is reached only by name: describe it, give samples, or name its clusters.`];
  }
  const found: string[] = [];
  const share = assignments.filter((one) => one.expert === index).length / assignments.length;
  if (share > MOST && clusters.length === 0) {
    found.push(
      `'${id}' gets ${Math.round(100 * share)} % of the clusters without being the fallback: its texts are too general, or the others' too narrow.`,
    );
  }
  const known = claims?.topics.some((owners) => owners.includes(index)) ?? false;
  if (clusters.length === 0 && !known && samples.length < FEW) {
    found.push(
      `'${id}': its texts are too few to tell what it is for, and none is about a subject the router knows; give ${FEW} or more typical prompts as samples.`,
    );
  }
  return found;
}

function aboutTopics(experts: readonly DescribedExpert[], { claims }: Described): readonly string[] {
  const shared = new Map<string, number[]>();
  claims?.topics.forEach((owners, topic) => {
    if (owners.length < 2) return;
    const names = owners.map((owner) => `'${experts[owner]!.id}'`).join(' and ');
    shared.set(names, [...(shared.get(names) ?? []), topic]);
  });
  return Array.from(
    shared,
    ([names, topics]) =>
      `${names} claim the same: ${topicNames(topics).join(', ')}. Their samples decide between them; say what only one of them is for.`,
  );
}

function sharedSamples(experts: readonly DescribedExpert[]): readonly string[] {
  const owners = new Map<string, string>();
  return experts.flatMap(({ id, samples = [] }) =>
    samples.flatMap((sample) => {
      const before = owners.get(sample);
      owners.set(sample, before ?? id);
      return before === undefined || before === id
        ? []
        : [`'${before}' and '${id}' have the same sample, "${sample.slice(0, 60)}": '${before}' gets it.`];
    }),
  );
}

/** Clusters of which the next best expert claims nearly as much as the owner. */
export function doubtfulClusters({ assignments }: Pick<Described, 'assignments'>): readonly number[] {
  return assignments
    .filter(({ runnerUp }) => (runnerUp?.affinity ?? 0) >= DOUBTFUL)
    .map(({ cluster }) => cluster);
}
