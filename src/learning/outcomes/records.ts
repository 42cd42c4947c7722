/** Outcomes from a gateway's records: feedback, brought together with the decisions it is about. */
import { UserError } from '../../core/errors.ts';
import { recordLines } from '../../serving/records/read.ts';
import { type DecisionLine, unpackVector } from '../../serving/records/record.ts';

export interface RecordedOutcomes {
  readonly experts: readonly string[];
  /** n × dimensions, unit length. */
  readonly points: { readonly values: Float32Array; readonly count: number; readonly dimensions: number };
  /** n × experts, NaN but for the expert that answered. */
  readonly scores: Float64Array;
  readonly notices: readonly string[];
}

/** The space of the router model that is to learn. */
export interface Space {
  readonly id: string;
  readonly dimensions: number;
}

/** @throws UserError when the folder cannot be read or holds no feedback that can be learned from */
export async function readRecords(dir: string, space: Space, leastScores = 12): Promise<RecordedOutcomes> {
  const decisions = new Map<string, DecisionLine>();
  const feedback = new Map<string, number[]>();
  let broken = 0;
  for await (const record of recordLines(dir)) {
    if (record?.kind === 'decision') decisions.set(record.trace, record);
    else if (record?.kind === 'feedback')
      feedback.set(record.trace, [...(feedback.get(record.trace) ?? []), record.score]);
    else broken += 1;
  }
  return joined(dir, decisions, feedback, { space, leastScores, broken });
}

function joined(
  dir: string,
  decisions: ReadonlyMap<string, DecisionLine>,
  feedback: ReadonlyMap<string, readonly number[]>,
  {
    space,
    leastScores,
    broken,
  }: { readonly space: Space; readonly leastScores: number; readonly broken: number },
): RecordedOutcomes {
  const rows: { readonly vector: Float32Array; readonly expert: string; readonly score: number }[] = [];
  let lost = 0;
  let foreign = 0;
  for (const [trace, scores] of feedback) {
    const decision = decisions.get(trace);
    if (!decision?.expert) lost += 1;
    else if (decision.space !== space.id) foreign += 1;
    else
      rows.push({
        vector: unpackVector(decision.vector, space.dimensions),
        expert: decision.expert,
        score: scores.reduce((sum, score) => sum + score, 0) / scores.length,
      });
  }
  const counts = new Map<string, number>();
  for (const { expert } of rows) counts.set(expert, (counts.get(expert) ?? 0) + 1);
  const experts = [...counts.keys()].filter((expert) => counts.get(expert)! >= leastScores).sort();
  const few = [...counts]
    .filter(([, count]) => count < leastScores)
    .map(([expert, count]) => `${expert} (${count})`);
  const notices = [
    `${decisions.size} decisions and feedback on ${feedback.size} of them in ${dir}`,
    ...(broken > 0 ? [`${broken} lines cannot be read`] : []),
    ...(lost > 0
      ? [`${lost} feedbacks are on decisions that are not kept (any more), or that no expert answered`]
      : []),
    ...(foreign > 0
      ? [`${foreign} feedbacks are on decisions by another embedding, and cannot be used`]
      : []),
    ...(few.length > 0 ? [`fewer than ${leastScores} scores, left out: ${few.join(', ')}`] : []),
  ];
  if (experts.length === 0) throw new UserError(`Nothing to learn from. ${notices.join('; ')}.`);
  const kept = rows.filter(({ expert }) => experts.includes(expert));
  return { experts, ...matrices(kept, experts, space.dimensions), notices };
}

function matrices(
  rows: readonly { readonly vector: Float32Array; readonly expert: string; readonly score: number }[],
  experts: readonly string[],
  dimensions: number,
): Pick<RecordedOutcomes, 'points' | 'scores'> {
  const values = new Float32Array(rows.length * dimensions);
  const scores = new Float64Array(rows.length * experts.length).fill(Number.NaN);
  rows.forEach(({ vector, expert, score }, row) => {
    values.set(vector, row * dimensions);
    scores[row * experts.length + experts.indexOf(expert)] = score;
  });
  return { points: { values, count: rows.length, dimensions }, scores };
}
