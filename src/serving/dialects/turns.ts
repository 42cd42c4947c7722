/** The texts that routing reads, sampled down to a bounded length. */
import { budgetOf, type RoutableText } from '../../deciding/text/routable.ts';
import { sampleText } from '../../deciding/text/sampling.ts';

export function sampledTurns(turns: readonly RoutableText[]): readonly RoutableText[] {
  return turns.map(sampled);
}

function sampled(turn: RoutableText): RoutableText {
  const samples = turn.segments.map((segment) => sampleText(segment.text, budgetOf(segment)));
  if (samples.every((text, at) => text === turn.segments[at]!.text)) return turn;
  return { ...turn, segments: turn.segments.map((segment, at) => ({ ...segment, text: samples[at]! })) };
}
