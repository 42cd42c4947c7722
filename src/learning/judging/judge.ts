/** Judges a router by outcomes: what its choices score, beside what other ways of choosing would have scored. */
import { seededRandom } from '../../core/random.ts';
import type { Outcomes } from '../outcomes/outcomes.ts';
import { type Calibrated, calibrationOf, type Roc, rocOf } from './calibration.ts';
import {
  bestExpert,
  type Decided,
  type Decider,
  type Difference,
  mean,
  meanOverTasks,
  nearestNeighbourScores,
  oracleScores,
  paired,
  randomScores,
  type Scored,
  scoresOf,
  singleScores,
  taskOracleScores,
} from './choice.ts';
import { gibberish, PERTURBATIONS } from './perturb.ts';

export interface JudgeOptions {
  /**
   * Outcomes of other prompts, by which the best single expert, the task oracle and nearest neighbours choose. In
   * hindsight, by the judged outcomes themselves, when absent.
   */
  readonly training?: Outcomes;
  /** Prompts that are truly outside; gibberish when absent. */
  readonly outside?: readonly string[];
  /** The best single expert as known beforehand; found from outcomes when absent. */
  readonly bestSingle?: string;
  readonly seed: number;
  readonly onStage?: (stage: string, done: number, total: number) => void;
}

/** The figures of `expert-router evaluate --json`, scores from 0 to 1. */
export interface Figures {
  readonly n: number;
  readonly score_micro: number;
  readonly score_macro: number;
  /** Mean cost of an answer by the chosen experts; null where costs are not known. */
  readonly cost: number | null;
  readonly best_single: number;
  /** Null where no task is named. */
  readonly task_oracle: number | null;
  readonly oracle: number;
  readonly random: number;
  readonly delta_vs_best_single: number;
  /** Of the difference, paired by prompt. */
  readonly standard_error: number;
  /** Expert → prompts it was given. */
  readonly models_used: Readonly<Record<string, number>>;
}

export interface Alternative {
  readonly name: string;
  readonly micro: number;
  readonly macro: number;
  readonly cost: number | null;
  /** The router's score minus this one's; null for the router itself. */
  readonly lead: Difference | null;
}

export interface Stability {
  readonly name: string;
  /** Share of the prompts that keep their expert. */
  readonly same: number;
  readonly score: number;
}

export interface Judgement {
  readonly figures: Figures;
  readonly alternatives: readonly Alternative[];
  readonly bestSingle: string;
  readonly hindsight: boolean;
  /** Rows: the expert that would have been right (best on the prompt); columns: the chosen one. */
  readonly confusion: { readonly names: readonly string[]; readonly counts: readonly (readonly number[])[] };
  readonly tasks: readonly {
    readonly task: string;
    readonly n: number;
    readonly score: number;
    readonly bestSingle: number;
  }[];
  readonly calibration: Calibrated | null;
  readonly roc: Roc | null;
  readonly outsideIs: 'gibberish' | 'given';
  readonly stability: readonly Stability[];
  /** Prompts whose chosen expert has no score: they are in no mean. */
  readonly unscored: number;
  readonly fromLabels: boolean;
}

/** Prompts on which stability and outsiders are measured. */
const SOME = 1_000;

export async function judge(outcomes: Outcomes, decide: Decider, options: JudgeOptions): Promise<Judgement> {
  const { training, onStage = () => {} } = options;
  const from = training ?? outcomes;
  const decided = await decideAll(outcomes.prompts, decide, (done, total) =>
    onStage('deciding', done, total),
  );
  const trainingVectors = training
    ? (await decideAll(training.prompts, decide, (done, total) => onStage('neighbours', done, total))).map(
        ({ vector }) => vector,
      )
    : decided.map(({ vector }) => vector);
  const choices = decided.map(({ expert }) => expert);
  const own = ownScores(outcomes, choices);
  const bestSingle = options.bestSingle ?? from.experts[bestExpert(from)]!;
  const best = scoresOf(
    outcomes,
    choices.map(() => bestSingle),
  );
  const neighbours = nearestNeighbourScores(
    outcomes,
    decided.map(({ vector }) => vector),
    from,
    trainingVectors,
  );
  const taskOracle = taskOracleScores(outcomes, from);
  const alternatives = alternativesOf(outcomes, own, choices, [
    [`best single: ${bestSingle}`, best, costIfAll(outcomes, bestSingle)],
    ['random', randomScores(outcomes), mean(outcomes.costs ?? [])],
    ['nearest neighbour', neighbours, null],
    ...(taskOracle ? [['task oracle', taskOracle, null] as const] : []),
    ['per-prompt oracle', oracleScores(outcomes), null],
  ]);
  const { stability, roc } = await robustness(outcomes, decided, decide, options);
  return {
    figures: figuresOf(outcomes, own, choices, best, taskOracle),
    alternatives,
    bestSingle,
    hindsight: training === undefined && options.bestSingle === undefined,
    confusion: confusionOf(outcomes, choices),
    tasks: tasksOf(outcomes, own, best),
    calibration: calibrationOf(
      decided.map(({ expected }) => expected),
      own,
    ),
    roc,
    outsideIs: options.outside ? 'given' : 'gibberish',
    stability,
    unscored: own.filter(Number.isNaN).length,
    fromLabels: outcomes.fromLabels,
  };
}

/** An expert that no label names is never right. */
function ownScores(outcomes: Outcomes, choices: readonly string[]): Scored {
  const scores = scoresOf(outcomes, choices);
  return outcomes.fromLabels ? scores.map((score) => (Number.isNaN(score) ? 0 : score)) : scores;
}

async function decideAll(
  prompts: readonly string[],
  decide: Decider,
  onProgress: (done: number, total: number) => void,
): Promise<readonly Decided[]> {
  const decided: Decided[] = [];
  for (const prompt of prompts) {
    decided.push(await decide(prompt));
    if (decided.length % 256 === 0) onProgress(decided.length, prompts.length);
  }
  return decided;
}

function figuresOf(
  outcomes: Outcomes,
  own: Scored,
  choices: readonly string[],
  best: Scored,
  taskOracle: Scored | null,
): Figures {
  const difference = paired(own, best);
  const used: Record<string, number> = {};
  for (const choice of choices) used[choice] = (used[choice] ?? 0) + 1;
  return {
    n: outcomes.prompts.length,
    score_micro: mean(own),
    score_macro: meanOverTasks(own, outcomes.tasks),
    cost: costOf(outcomes, choices),
    best_single: mean(best),
    task_oracle: taskOracle && mean(taskOracle),
    oracle: mean(oracleScores(outcomes)),
    random: mean(randomScores(outcomes)),
    delta_vs_best_single: difference.mean,
    standard_error: difference.standardError,
    models_used: used,
  };
}

function alternativesOf(
  outcomes: Outcomes,
  own: Scored,
  choices: readonly string[],
  others: readonly (readonly [name: string, scores: Scored, cost: number | null])[],
): readonly Alternative[] {
  const { tasks } = outcomes;
  return [
    {
      name: 'router',
      micro: mean(own),
      macro: meanOverTasks(own, tasks),
      cost: costOf(outcomes, choices),
      lead: null,
    },
    ...others.map(([name, scores, cost]) => ({
      name,
      micro: mean(scores),
      macro: meanOverTasks(scores, tasks),
      cost: cost !== null && Number.isNaN(cost) ? null : cost,
      lead: paired(own, scores),
    })),
  ];
}

/** Mean cost of the chosen experts; null where none is known. */
function costOf({ costs, experts }: Outcomes, choices: readonly string[]): number | null {
  if (costs === null) return null;
  const value = mean(
    choices.map((choice, row) => {
      const expert = experts.indexOf(choice);
      return expert < 0 ? Number.NaN : costs[row * experts.length + expert]!;
    }),
  );
  return Number.isNaN(value) ? null : value;
}

function costIfAll(outcomes: Outcomes, expert: string): number | null {
  return costOf(
    outcomes,
    outcomes.prompts.map(() => expert),
  );
}

/** The right expert is the best on the prompt, the one best over all where several are; ties of all say nothing. */
function confusionOf(outcomes: Outcomes, choices: readonly string[]): Judgement['confusion'] {
  const { experts, scores, prompts } = outcomes;
  const m = experts.length;
  const names = [...new Set([...experts, ...choices])];
  const at = new Map(names.map((name, index) => [name, index]));
  const means = experts.map((_, expert) => mean(singleScores(outcomes, expert)));
  const counts = names.map(() => names.map(() => 0));
  prompts.forEach((_, row) => {
    const own = scores.subarray(row * m, (row + 1) * m);
    const known = own.filter((score) => !Number.isNaN(score));
    if (known.length === 0 || known.every((score) => score === known[0])) return;
    const top = Math.max(...known);
    const chosen = own[experts.indexOf(choices[row]!)];
    // A choice that scores as well as the best is right.
    let right = experts.indexOf(choices[row]!);
    if (chosen !== top) {
      right = -1;
      own.forEach((score, expert) => {
        if (score === top && (right < 0 || means[expert]! > means[right]!)) right = expert;
      });
    }
    counts[right]![at.get(choices[row]!)!]! += 1;
  });
  return { names, counts };
}

function tasksOf({ tasks }: Outcomes, own: Scored, best: Scored): Judgement['tasks'] {
  const rows = new Map<string, number[]>();
  tasks.forEach((task, row) => {
    if (task === null) return;
    const list = rows.get(task);
    if (list) list.push(row);
    else rows.set(task, [row]);
  });
  return Array.from(rows, ([task, list]) => ({
    task,
    n: list.length,
    score: mean(list.map((row) => own[row]!)),
    bestSingle: mean(list.map((row) => best[row]!)),
  }));
}

async function robustness(
  outcomes: Outcomes,
  decided: readonly Decided[],
  decide: Decider,
  { outside, seed, onStage = () => {} }: JudgeOptions,
): Promise<{ readonly stability: readonly Stability[]; readonly roc: Roc | null }> {
  const step = Math.max(1, Math.floor(outcomes.prompts.length / SOME));
  const rows = outcomes.prompts.map((_, row) => row).filter((row) => row % step === 0);
  const m = outcomes.experts.length;
  const stability: Stability[] = [];
  for (const [index, { name, of }] of PERTURBATIONS.entries()) {
    const random = seededRandom(seed).fork(name);
    let same = 0;
    const scores: number[] = [];
    for (const row of rows) {
      const { expert } = await decide(of(outcomes.prompts[row]!, random));
      if (expert === decided[row]!.expert) same += 1;
      const at = outcomes.experts.indexOf(expert);
      scores.push(at < 0 ? Number.NaN : outcomes.scores[row * m + at]!);
    }
    stability.push({ name, same: same / rows.length, score: mean(scores) });
    onStage('stability', index + 1, PERTURBATIONS.length);
  }
  const random = seededRandom(seed).fork('gibberish');
  const strangers = outside ?? rows.map(() => gibberish(random));
  const strangeness: number[] = [];
  for (const text of strangers) strangeness.push((await decide(text)).strangeness);
  return {
    stability,
    roc: rocOf(
      rows.map((row) => decided[row]!.strangeness),
      strangeness,
    ),
  };
}
