/** The clusters of a router model and who serves them, as the map and the pages about them show it. */
import { hash } from 'node:crypto';
import type { Prices } from '../front/request-note.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { placesOf } from './places.ts';
import type { Layout } from './wire.ts';

const MOST_WORDS = 12;
const ID_DIGITS = 12;

interface Told {
  readonly prices: Prices;
  readonly descriptions: ReadonlyMap<string, string>;
}

export function layoutOf({ router, fleet }: Gateway, { prices, descriptions }: Told): Layout {
  const { model, territory } = router;
  const places = placesOf(model);
  const layout = {
    model: {
      id: model.id,
      embedding: model.embedding.id,
      dimensions: model.dimensions,
      prompts: model.facts.prompts,
      facts: model.facts.more,
    },
    clusters: model.names.map((name, cluster) => ({
      name,
      words: (model.topWords[cluster] ?? []).slice(0, MOST_WORDS),
      size: model.sizes[cluster]!,
      owner: territory.experts[territory.owners[cluster]!]!,
      x: round(places[cluster]![0]),
      y: round(places[cluster]![1]),
    })),
    experts: territory.experts.map((id, index) => ({
      id,
      kind: fleet.groups.get(id)?.replicas[0]?.expert.kind ?? '',
      fallback: index === territory.fallback,
      about: descriptions.get(id) ?? null,
      price: priceOf(prices.get(id)),
    })),
  };
  return { id: hash('sha256', JSON.stringify(layout)).slice(0, ID_DIGITS), ...layout };
}

function priceOf(price: ReturnType<Prices['get']>): Layout['experts'][number]['price'] {
  if (price === undefined) return null;
  const { input = null, output = null, per_gpu_hour = null } = price;
  return { input, output, per_gpu_hour };
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
