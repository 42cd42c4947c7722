/** Which words of a prompt made the difference between the two experts that claim it most. */
import type { Classification } from '../model/classify.ts';
import { type Explanation, wordsAlong } from '../model/explain.ts';
import type { RouterModel } from '../model/router-model.ts';
import type { RoutableText } from '../text/routable.ts';
import { contestOf, needsContext, type Territory } from './territory.ts';

/** Weights are shares of the lead of `expert` over `rival`; `constant` is what the number and weights of their texts add. */
export interface ClaimWords extends Explanation {
  readonly expert: string;
  readonly rival: string;
}

/**
 * A claim is T · ln Σ exp(cos / T) over an expert's texts; the words are traced along its slope where the prompt lies.
 * @param limit words for, and as many against, at most
 * @returns null where something else decided, or no words can be told
 */
export function explainClaim(
  model: RouterModel,
  territory: Territory,
  text: RoutableText,
  prompt: Classification,
  limit: number,
): ClaimWords | null {
  const contest = contestOf(territory, prompt);
  if (contest === null) return null;
  const { first, second, said, slopes } = contest;
  const lead = slopes[0].claim - slopes[1].claim;
  if (lead <= 0) return null;
  const direction = slopes[0].slope.map((value, j) => value - slopes[1].slope[j]!);
  const own = needsContext(prompt)
    ? text
    : { ...text, segments: text.segments.filter(({ fades }) => !fades) };
  const words = wordsAlong(model, own, direction, lead, limit);
  const along = said.reduce((sum, value, j) => sum + value * direction[j]!, 0);
  return (
    words && {
      ...words,
      constant: 1 - along / lead,
      expert: territory.experts[first]!,
      rival: territory.experts[second]!,
    }
  );
}
