/** How a decision is told to a client: as response headers, and in full as the answer of the dry run. */

import { type Explanation, explain } from '../../deciding/model/explain.ts';
import { explainClaim } from '../../deciding/routing/claim-words.ts';
import type { SpillCause } from '../../deciding/routing/decide.ts';
import { setOf } from '../../deciding/routing/learned.ts';
import { textUsed } from '../../deciding/text/routable.ts';
import type { Routed, Router } from '../gateway/router.ts';

const TERMS_SHOWN = 8;

export function decisionHeaders({ classification, decision }: Routed): Record<string, string> {
  return {
    'x-expert-router-expert': decision.expert,
    'x-expert-router-cluster': String(classification.cluster),
    'x-expert-router-confidence': classification.confidence.toFixed(3),
    'x-expert-router-reason': decision.reason,
  };
}

/** The body of `POST /v1/route`: everything the choice was made of. */
export function decisionBody(router: Router, routed: Routed, traceId: string | null) {
  const { classification, decision, text } = routed;
  return {
    object: 'route',
    expert: decision.expert,
    home: decision.home,
    reason: decision.reason,
    ...(decision.spilledFor === null ? {} : { spilled_for: decision.spilledFor }),
    explanation: explanation(routed),
    cluster: classification.cluster,
    cluster_name: classification.name,
    confidence: round(classification.confidence),
    stability: round(classification.confidence),
    margin: round(classification.margin),
    outside: classification.outside,
    distances: Array.from(classification.distances, round),
    ranking: decision.ranking.map((ranked) => ({
      expert: ranked.expert,
      affinity: round(ranked.affinity),
      distance: ranked.distance === null ? null : round(ranked.distance),
      ...(ranked.cost === null ? {} : { cost: costBody(ranked.cost) }),
    })),
    ...setBody(router, routed),
    terms: termsBody(router, routed),
    text: textUsed(text),
    unread_parts: text.unreadParts,
    ...(routed.leftOut ? { left_out: routed.leftOut.map(({ expert, why }) => ({ expert, why })) } : {}),
    router_model: router.model.id,
    ...(traceId === null ? {} : { trace_id: traceId }),
  };
}

/** The experts among which the best is on so many prompts, where scores were learned. */
function setBody({ territory }: Router, { classification }: Routed) {
  const set = setOf(territory.learned, classification);
  if (set === null) return {};
  return { set: { coverage: set.share, experts: set.experts.map((expert) => territory.experts[expert]!) } };
}

/** The words between the two experts that claim the prompt most; where something else decided, between its cluster and that of another expert. */
function termsBody(router: Router, { text, classification }: Routed) {
  const { model, territory } = router;
  const claim = explainClaim(model, territory, text, classification, TERMS_SHOWN);
  if (claim) {
    const { expert, rival, constant } = claim;
    return { for: named(claim.for), against: named(claim.against), constant, expert, rival };
  }
  // Two clusters of one expert are nothing to choose between.
  const own = territory.owners[classification.cluster];
  const isRival = (cluster: number): boolean => territory.owners[cluster] !== own;
  const { for: spoke, against, constant } = explain(model, text, classification, TERMS_SHOWN, isRival);
  return { for: named(spoke), against: named(against), constant };
}

/** The words that said anything: those with a weight of at least a twentieth of the first's, which is the greatest. */
function named(words: Explanation['for']) {
  const least = Math.abs(words[0]?.weight ?? 0) / 20;
  return words
    .filter(({ weight }) => Math.abs(weight) >= least)
    .map(({ word, weight }) => ({ term: word, weight }));
}

/** One sentence a person understands. */
export function explanation({ classification, decision }: Routed): string {
  const { name, cluster, confidence } = classification;
  const place = `cluster ${cluster} (${name})`;
  switch (decision.reason) {
    case 'nearest-cluster':
      return `'${decision.expert}' suits the prompt best; it lies in ${place}, stability ${Math.round(confidence * 100)} %.`;
    case 'learned':
      return `By its scores on prompts like this one (nearest: ${place}), '${decision.expert}' suits it best.`;
    case 'explored':
      return `'${decision.expert}' is tried, as a share of new conversations is, to learn how good it is; the prompt lies in ${place}.`;
    case 'side-request':
      return `A program asks about a conversation, as for a title of it, and the config gives that to '${decision.expert}' (side_requests).`;
    case 'conversation':
      return `The conversation stays with '${decision.expert}': its last turn, in ${place}, does not clearly belong elsewhere.`;
    case 'spilled':
      return `The prompt lies in ${place} and belongs to '${decision.home}'${SPILLED[decision.spilledFor ?? 'policy'](decision.expert)}.`;
    case 'local':
      return `The prompt lies in ${place} and belongs to '${decision.home}'; it may go to local experts only, so '${decision.expert}' takes it.`;
    case 'balanced':
      return `Nothing tells the experts apart (no descriptions, samples or clusters), so conversations are spread evenly; this one is with '${decision.expert}'.`;
    case 'able':
      return `The prompt lies in ${place} and belongs to '${decision.home}'; only some experts answer requests of this kind, so '${decision.expert}' takes it.`;
    case 'outside':
      return `The prompt is unlike anything the router model knows (nearest: ${place}), so '${decision.expert}' takes it.`;
    case 'named':
      return `The request names '${decision.expert}'; by itself the prompt lies in ${place}.`;
    case 'forced':
      return `The header x-expert-router-expert demands '${decision.expert}'; by itself the prompt lies in ${place}.`;
  }
}

const SPILLED: Readonly<Record<SpillCause, (expert: string) => string>> = {
  unavailable: (expert) => `, which takes no requests now; of the others, '${expert}' is the best choice`,
  cost: (expert) => `; waiting there would cost more than what '${expert}' suits it less`,
  policy: (expert) => `; the policy, with the load in view, gives it to '${expert}'`,
};

type Cost = NonNullable<Routed['decision']['ranking'][number]['cost']>;

/** In seconds. */
function costBody({ fit, wait, load, prefill, total }: Cost) {
  return {
    fit: round(fit),
    wait: round(wait),
    load: round(load),
    prefill: round(prefill),
    total: round(total),
  };
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
