/** What a router chose for each prompt of some outcomes, and what else could have been chosen. */
import type { Outcomes } from '../outcomes/outcomes.ts';

/** A decision as far as judging needs it. */
export interface Decided {
  readonly expert: string;
  /** Probability, or expected score, that the router gives its choice; null where it names none. */
  readonly expected: number | null;
  /** Above 1 it takes the prompt for unlike anything known. */
  readonly strangeness: number;
  readonly vector: Float32Array;
}

export type Decider = (prompt: string) => Decided | Promise<Decided>;

/** What judging needs of a router: its decision, and the prompt as its model sees it. */
export interface DecidingRouter {
  decide(prompt: string): {
    readonly expert: string;
    readonly expectedScore: number | null;
    readonly classification: {
      readonly vector: Float32Array;
      readonly confidence: number;
      readonly strangeness: number;
    };
  };
}

/** Where no score is expected, confidence stands for it. */
export function deciderBy(router: DecidingRouter): Decider {
  return (prompt) => {
    const { expert, expectedScore, classification } = router.decide(prompt);
    const { vector, confidence, strangeness } = classification;
    return { expert, expected: expectedScore ?? confidence, strangeness, vector };
  };
}

/** One score per prompt; NaN where the chosen expert was not scored. */
export type Scored = Float64Array;

export function scoresOf({ experts, scores }: Outcomes, choices: readonly string[]): Scored {
  const index = new Map(experts.map((expert, at) => [expert, at]));
  return Float64Array.from(choices, (choice, row) => {
    const at = index.get(choice);
    return at === undefined ? Number.NaN : scores[row * experts.length + at]!;
  });
}

/** Always the same expert. */
export function singleScores(outcomes: Outcomes, expert: number): Scored {
  const m = outcomes.experts.length;
  return Float64Array.from(outcomes.prompts, (_, row) => outcomes.scores[row * m + expert]!);
}

/** The mean over the experts that were scored: what choosing at random has on average. */
export function randomScores({ experts, scores, prompts }: Outcomes): Scored {
  const m = experts.length;
  return Float64Array.from(prompts, (_, row) => mean(scores.subarray(row * m, (row + 1) * m)));
}

/** The best expert for every single prompt, known in hindsight: what no router can exceed. */
export function oracleScores({ experts, scores, prompts }: Outcomes): Scored {
  const m = experts.length;
  return Float64Array.from(prompts, (_, row) => {
    const own = scores.subarray(row * m, (row + 1) * m).filter((score) => !Number.isNaN(score));
    return own.length === 0 ? Number.NaN : Math.max(...own);
  });
}

/** The best expert of every task by its mean on the outcomes `from`; the best of all where a task is not in them. */
export function taskOracleScores(outcomes: Outcomes, from: Outcomes): Scored | null {
  if (outcomes.tasks.every((task) => task === null)) return null;
  const rows = new Map<string | null, number[]>();
  from.tasks.forEach((task, row) => {
    const list = rows.get(task);
    if (list) list.push(row);
    else rows.set(task, [row]);
  });
  const best = new Map([...rows].map(([task, own]) => [task, bestExpert(from, own)]));
  const all = bestExpert(from);
  return scoresOf(
    outcomes,
    outcomes.tasks.map((task) => from.experts[best.get(task) ?? all]!),
  );
}

/** Index of the expert with the highest mean score on these rows. */
export function bestExpert({ experts, scores, prompts }: Outcomes, rows?: readonly number[]): number {
  const m = experts.length;
  const on = rows ?? prompts.map((_, row) => row);
  const means = experts.map((_, expert) => mean(Float64Array.from(on, (row) => scores[row * m + expert]!)));
  let best = 0;
  means.forEach((value, expert) => {
    if (value > means[best]! || Number.isNaN(means[best]!)) best = expert;
  });
  return best;
}

/**
 * The expert that was best on the most similar prompt of `from` (by mean score where several were). On the judged
 * prompts themselves where they are the same, each one's own outcome left out.
 */
export function nearestNeighbourScores(
  outcomes: Outcomes,
  vectors: readonly Float32Array[],
  from: Outcomes,
  fromVectors: readonly Float32Array[],
): Scored {
  const m = from.experts.length;
  const means = from.experts.map((_, expert) => mean(singleScores(from, expert)));
  const choices = vectors.map((vector, row) => {
    let nearest = -1;
    let most = Number.NEGATIVE_INFINITY;
    fromVectors.forEach((other, at) => {
      if (from === outcomes && at === row) return;
      const dot = product(vector, other);
      if (dot > most) {
        most = dot;
        nearest = at;
      }
    });
    if (nearest < 0) return from.experts[bestExpert(from)]!;
    let best = 0;
    const worthOf = (expert: number): number => {
      const score = from.scores[nearest * m + expert]!;
      return Number.isNaN(score) ? -1 : score + means[expert]! * 1e-3;
    };
    for (let expert = 1; expert < m; expert += 1) if (worthOf(expert) > worthOf(best)) best = expert;
    return from.experts[best]!;
  });
  return scoresOf(outcomes, choices);
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j += 1) sum += a[j]! * b[j]!;
  return sum;
}

/** Of the numbers; NaN if there are none. */
export function mean(values: Iterable<number>): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** Mean of the means over the tasks; over all prompts where no task is named. */
export function meanOverTasks(scores: Scored, tasks: readonly (string | null)[]): number {
  const byTask = new Map<string | null, number[]>();
  tasks.forEach((task, row) => {
    const list = byTask.get(task);
    if (list) list.push(scores[row]!);
    else byTask.set(task, [scores[row]!]);
  });
  return mean([...byTask.values()].map(mean));
}

export interface Difference {
  readonly mean: number;
  readonly standardError: number;
  readonly pairs: number;
}

/** a − b, paired by prompt. */
export function paired(a: Scored, b: Scored): Difference {
  const differences = Array.from(a, (value, row) => value - b[row]!).filter((value) => !Number.isNaN(value));
  const average = mean(differences);
  const variance = mean(differences.map((value) => (value - average) ** 2));
  const pairs = differences.length;
  return { mean: average, standardError: pairs < 2 ? Number.NaN : Math.sqrt(variance / (pairs - 1)), pairs };
}
