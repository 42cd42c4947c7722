/** The texts that routing reads, sampled down to a bounded length. */
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
