/** What routing reads of a request's texts: a sample that is bounded in length. */
import { budgetOf, type RoutableText } from '../../deciding/text/routable.ts';
import { sampleText } from '../../deciding/text/sampling.ts';

export function sampledTurns(turns: readonly RoutableText[]): readonly RoutableText[] {
  return turns.map((turn) => ({
    ...turn,
    segments: turn.segments.map((segment) => ({
      ...segment,
      text: sampleText(segment.text, budgetOf(segment)),
    })),
  }));
}
