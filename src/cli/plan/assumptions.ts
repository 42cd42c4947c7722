/** What nobody said and a prediction depends on, as sentences. */
import type { TransformerShape } from '../../simulating/model/shape.ts';
import { type LengthModel, within } from '../../simulating/workload/lengths.ts';

/** @param cure how to say otherwise */
export function noThinking(cure: string): string {
  return `every user asks again as soon as they are answered, the heaviest load so many users can be: ${cure}`;
}

/** One for each model whose context ends before the longest of the requests. */
export function shorterRequests(
  models: readonly TransformerShape[],
  lengths: LengthModel,
): readonly string[] {
  return models
    .filter((model) => within(lengths, model.maxContext) !== lengths)
    .map(
      ({ name, maxContext }) =>
        `${name} gets no request longer than the ${maxContext} tokens that it was trained for`,
    );
}
