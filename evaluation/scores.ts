/**
 * How well experts are chosen by learned scores: `npm run eval:scores -- FOLDER`, FOLDER holding outcomes as
 * docs/learning.md names them. Writes the measured part of that page; the sets themselves are not part of the
 * repository. Where a set has no test half, its training half is judged in three folds, near-duplicates in one fold.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../src/core/errors.ts';
import { writeFileAtomically } from '../src/core/files.ts';
import { seededRandom } from '../src/core/random.ts';
import { labelsOf } from '../src/deciding/clustering/distances.ts';
import { DEFAULT_MODEL, loadModelFile } from '../src/deciding/model/file.ts';
import type { RouterModel } from '../src/deciding/model/router-model.ts';
import { chosen, fitOf } from '../src/deciding/quality/quality.ts';
import {
  bestExpert,
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
} from '../src/learning/judging/choice.ts';
import { pairMeasures, pointFor, tradeOff } from '../src/learning/judging/trade-off.ts';
import { type Outcomes, rowsOfOutcomes } from '../src/learning/outcomes/outcomes.ts';
import { readOutcomes } from '../src/learning/outcomes/read.ts';
import { foldsOf, groupsOf } from '../src/learning/quality/folds.ts';
import { embedPrompts, learnModel, type ModelWithQuality } from '../src/learning/quality/learn-model.ts';
import { openPool, type Pool } from '../src/learning/training/pool.ts';
import { train } from '../src/training.ts';
import { runScript } from './script.ts';

const SEED = 1;
const FOLDS = 3;
const FOLDED = 'training half';
const PAGE = 'docs/learning.md';
const MARKS = ['<!-- eval:scores -->', '<!-- end of eval:scores -->'] as const;

interface JudgedSet {
  readonly name: string;
  readonly training: string;
  readonly tests: readonly { readonly file: string; readonly name: string; readonly aims: Aims }[];
  /** Experts judged; all when absent. */
  readonly pool?: RegExp;
}

/** Per cent; the mean over prompts, and over tasks. */
interface Aims {
  readonly micro?: number;
  readonly macro?: number;
}

const SMALL =
  /^(mathstral-7B|Meta-Llama-3.1-8B-Instruct|Meta-Llama-3-8B|gemma-7b|Phi-3-mini-4k-instruct|Mistral-7B-Instruct-v0.2|Qwen1.5-7B-Chat|Yi-6b-Chat)$/;
const MIDDLE =
  /^(mathstral-7B|Mixtral-8x7B-Instruct-v0.1|Qwen1.5-72B-Chat|Qwen1.5-110B|Yi-34B|c4ai-command-r-v01|jamba-1.5-large|Meta-Llama-3-70B|Phi-3-mini-4k-instruct)$/;

const mmluPro = (name: string, micro: number, pool?: RegExp): JudgedSet => ({
  name: `MMLU-Pro, ${name}`,
  training: 'mmlupro.train',
  tests: [{ file: 'mmlupro.test', name: 'test half', aims: { micro } }],
  ...(pool ? { pool } : {}),
});

const SETS: readonly JudgedSet[] = [
  {
    name: 'RouterDC, seven models',
    training: 'routerdc.train',
    tests: [
      { file: 'routerdc.test', name: 'test half', aims: { micro: 60, macro: 59 } },
      { file: 'routerdc_ood.test', name: 'out of domain', aims: { micro: 47.4 } },
    ],
  },
  mmluPro('small models', 46.2, SMALL),
  mmluPro('middle models', 54.6, MIDDLE),
  mmluPro('all 28 models', 71),
  {
    name: 'nine models, 14 tasks',
    training: 'ulab_pool50.train',
    tests: [{ file: 'ulab_pool50.test', name: 'test half', aims: { micro: 63.7 } }],
  },
  {
    name: 'RouterBench, three tasks',
    training: 'routerbench3.train',
    tests: [{ file: 'routerbench3.test', name: 'test half', aims: {} }],
  },
];

/** The choices of one set, with those of its rivals, over all judged prompts. */
interface Judged {
  readonly outcomes: Outcomes;
  readonly router: Scored;
  readonly best: Scored;
  readonly neighbour: Scored;
  readonly taskOracle: Scored | null;
  readonly predicted: Float64Array;
  readonly models: readonly ModelWithQuality[];
  readonly sets: Sets;
}

/** Of the sets of experts that should hold the best on nine of ten prompts, where experts differ. */
interface Sets {
  readonly prompts: number;
  readonly holdBest: number;
  /** Experts in them all. */
  readonly experts: number;
}

function setsOf({ experts, scores }: Outcomes, predicted: Float64Array, gap: number): Sets {
  const m = experts.length;
  const sets = { prompts: 0, holdBest: 0, experts: 0 };
  for (let at = 0; at < scores.length; at += m) {
    const real = scores.subarray(at, at + m);
    const most = Math.max(...real);
    if (!(Math.min(...real) < most)) continue;
    const expected = predicted.subarray(at, at + m);
    const least = Math.max(...expected) - gap;
    sets.prompts += 1;
    sets.experts += expected.filter((score) => score >= least).length;
    sets.holdBest += Number(real.some((score, expert) => score === most && expected[expert]! >= least));
  }
  return sets;
}

class Models {
  readonly #pool: Pool;
  readonly #trained = new Map<string, Promise<RouterModel>>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** A router model trained on these prompts, as `learn` without `--model` makes it. */
  on(name: string, prompts: readonly string[]): Promise<RouterModel> {
    const found = this.#trained.get(name) ?? train({ prompts }, { seed: SEED }).then(({ model }) => model);
    this.#trained.set(name, found);
    return found;
  }

  /** Learns from one part and chooses for another. */
  async judge(name: string, training: Outcomes, judged: Outcomes): Promise<Judged> {
    const model = await learnModel(
      await this.on(name, training.prompts),
      training,
      { seed: SEED },
      this.#pool,
    );
    const { quality } = model;
    const [from, to] = await Promise.all([
      embedPrompts(model.embedding, training.prompts, this.#pool),
      embedPrompts(model.embedding, judged.prompts, this.#pool),
    ]);
    const m = judged.experts.length;
    const predicted = new Float64Array(judged.prompts.length * m);
    const choices = rowsIn(to).map((vector, row) => {
      const { scores } = fitOf(quality, vector);
      predicted.set(scores, row * m);
      return judged.experts[chosen(scores, quality.best, quality.headStart)]!;
    });
    return {
      outcomes: judged,
      router: scoresOf(judged, choices),
      best: singleScores(judged, bestExpert(training)),
      neighbour: nearestNeighbourScores(judged, rowsIn(to), training, rowsIn(from)),
      taskOracle: taskOracleScores(judged, training),
      predicted,
      models: [model],
      sets: setsOf(judged, predicted, quality.evidence.coverage?.gap ?? Number.POSITIVE_INFINITY),
    };
  }

  /** Three folds of a training half, each judged by what was learned from the others. */
  async judgeFolds(name: string, outcomes: Outcomes): Promise<Judged> {
    const base = await loadModelFile(DEFAULT_MODEL);
    const points = await embedPrompts(base.embedding, outcomes.prompts, this.#pool);
    const groups = groupsOf(points, labelsOf(points, base.centroids));
    const folds = foldsOf(groups, FOLDS, seededRandom(SEED).fork('evaluation folds'));
    const parts: Judged[] = [];
    for (let fold = 0; fold < FOLDS; fold += 1) {
      const rows = (own: boolean): number[] =>
        [...folds.keys()].filter((row) => (folds[row] === fold) === own);
      parts.push(
        await this.judge(
          `${name} fold ${fold}`,
          rowsOfOutcomes(outcomes, rows(false)),
          rowsOfOutcomes(outcomes, rows(true)),
        ),
      );
    }
    return joined(parts);
  }
}

function rowsIn({ values, count, dimensions }: Awaited<ReturnType<typeof embedPrompts>>): Float32Array[] {
  return Array.from({ length: count }, (_, row) => values.subarray(row * dimensions, (row + 1) * dimensions));
}

function joined(parts: readonly Judged[]): Judged {
  const all = (of: (part: Judged) => Float64Array): Float64Array =>
    Float64Array.from(parts.flatMap((part) => [...of(part)]));
  const first = parts[0]!;
  return {
    outcomes: {
      ...first.outcomes,
      prompts: parts.flatMap(({ outcomes }) => outcomes.prompts),
      tasks: parts.flatMap(({ outcomes }) => outcomes.tasks),
      labels: parts.flatMap(({ outcomes }) => outcomes.labels),
      scores: all(({ outcomes }) => outcomes.scores),
      costs: first.outcomes.costs && all(({ outcomes }) => outcomes.costs!),
    },
    router: all(({ router }) => router),
    best: all(({ best }) => best),
    neighbour: all(({ neighbour }) => neighbour),
    taskOracle: first.taskOracle && all(({ taskOracle }) => taskOracle!),
    predicted: all(({ predicted }) => predicted),
    models: parts.flatMap(({ models }) => models),
    sets: parts.reduce(
      (sum, { sets }) => ({
        prompts: sum.prompts + sets.prompts,
        holdBest: sum.holdBest + sets.holdBest,
        experts: sum.experts + sets.experts,
      }),
      { prompts: 0, holdBest: 0, experts: 0 },
    ),
  };
}

async function outcomesIn(folder: string, name: string, pool: RegExp | undefined): Promise<Outcomes | null> {
  const file = join(folder, `${name}.jsonl`);
  if (!existsSync(file)) return null;
  const outcomes = await readOutcomes([file], { keepRepeats: true });
  return pool ? onlyExperts(outcomes, pool) : outcomes;
}

function onlyExperts(outcomes: Outcomes, pool: RegExp): Outcomes {
  const kept = outcomes.experts.flatMap((expert, index) => (pool.test(expert) ? [index] : []));
  const m = outcomes.experts.length;
  const scores = new Float64Array(outcomes.prompts.length * kept.length);
  outcomes.prompts.forEach((_, row) => {
    kept.forEach((expert, index) => {
      scores[row * kept.length + index] = outcomes.scores[row * m + expert]!;
    });
  });
  return {
    ...outcomes,
    experts: kept.map((expert) => outcomes.experts[expert]!),
    scores,
    costs: null,
    latencies: null,
  };
}

function percent(share: number): string {
  return (100 * share).toFixed(2);
}

function row(set: string, where: string, { outcomes, router, ...rivals }: Judged, aims: Aims): string {
  const lead = paired(router, rivals.best);
  const both = (scores: Scored): string =>
    `${percent(mean(scores))} (${percent(meanOverTasks(scores, outcomes.tasks))})`;
  const cells = [
    set,
    `${where}, ${outcomes.prompts.length.toLocaleString('en-US')}`,
    both(rivals.best),
    `**${both(router)}**`,
    `${lead.mean < 0 ? '−' : '+'}${percent(Math.abs(lead.mean))} ± ${percent(lead.standardError)}`,
    where.startsWith(FOLDED)
      ? openAim(aims)
      : aimText(aims, mean(router), meanOverTasks(router, outcomes.tasks)),
    both(rivals.neighbour),
    rivals.taskOracle ? both(rivals.taskOracle) : '–',
    percent(mean(randomScores(outcomes))),
    percent(mean(oracleScores(outcomes))),
  ];
  return `| ${cells.join(' | ')} |`;
}

function aimText({ micro, macro }: Aims, ownMicro: number, ownMacro: number): string {
  const one = (name: string, aim: number | undefined, own: number): readonly string[] =>
    aim === undefined ? [] : [`${name} ${aim.toFixed(1)} ${100 * own >= aim ? 'met' : 'missed'}`];
  return [...one('micro', micro, ownMicro), ...one('macro', macro, ownMacro)].join(', ') || '–';
}

/** An aim for a test half says little of folds of the training half, on which the best single expert scores otherwise. */
function openAim({ micro }: Aims): string {
  return micro === undefined ? '–' : `${micro.toFixed(1)} on the test half: not measured`;
}

/** What the curve of score against cost holds, where costs are known. */
function costLines(set: string, judged: Judged): readonly string[] {
  const { outcomes, predicted, models } = judged;
  if (outcomes.costs === null) return [];
  const { quality } = models[0]!;
  const curve = tradeOff(outcomes, {
    predicted,
    prices: quality.prices,
    best: quality.best,
    headStart: quality.headStart,
  });
  const best = curve.singles[curve.best]!;
  const cheapest = curve.singles.reduce((a, b) => (b.cost < a.cost ? b : a));
  const pair = pairMeasures(outcomes, predicted, curve.best, outcomes.experts.indexOf(cheapest.expert));
  const kept = [1, 0.99, 0.98, 0.95].map((keep) => {
    const point = pointFor(curve, { kind: 'best-single', keep });
    return `${percent(keep).slice(0, -3)} %: ${point ? `${Math.round((100 * point.cost) / best.cost)} % of its cost` : 'not reached'}`;
  });
  return [
    `${set}, with costs: AIQ ${curve.aiq.toFixed(4)} (single experts mixed by lot ${curve.aiqWithoutRouter.toFixed(4)}); ` +
      `${pair.strong} against ${pair.weak}: APGR ${pair.apgr.toFixed(3)}, CPT(50 %) ${percent(pair.cpt50 ?? 1)} %, CPT(80 %) ${percent(pair.cpt80 ?? 1)} % of the calls. ` +
      `Keeping so much of the score of ${best.expert}, in hindsight on the curve: ${kept.join('; ')}.`,
  ];
}

function evidenceOf(set: string, { models, sets, outcomes }: Judged): string {
  const [{ quality }] = models as readonly [ModelWithQuality];
  const { gain, standardError, blend } = quality.evidence;
  const head = Number.isFinite(quality.headStart)
    ? `head start ${percent(quality.headStart)}`
    : 'kept to the best single expert';
  return (
    `- ${set}: gain expected by cross-validation ${percent(gain)} ± ${percent(standardError)}; ${head}; blend ${blend.chains.toFixed(2)} clusterings, ${blend.ridge.toFixed(2)} ridge. ` +
    `Where experts differ, the best is in the set for 90 % on ${percent(sets.holdBest / sets.prompts)} % of ${sets.prompts.toLocaleString('en-US')} prompts, ${(sets.experts / sets.prompts).toFixed(1)} of ${outcomes.experts.length} experts being in it`
  );
}

async function measure(folder: string): Promise<string> {
  const pool = openPool(availableParallelism());
  const models = new Models(pool);
  const rows: string[] = [];
  const evidence: string[] = [];
  const costs: string[] = [];
  const absent: string[] = [];
  try {
    for (const set of SETS) {
      const training = await outcomesIn(folder, set.training, set.pool);
      if (training === null) {
        absent.push(set.name);
        continue;
      }
      let judgedAny = false;
      for (const test of set.tests) {
        const outcomes = await outcomesIn(folder, test.file, set.pool);
        if (outcomes === null) continue;
        judgedAny = true;
        const judged = await models.judge(set.training, training, outcomes);
        rows.push(row(set.name, test.name, judged, test.aims));
        if (test === set.tests[0]) {
          evidence.push(evidenceOf(set.name, judged));
          costs.push(...costLines(set.name, judged));
        }
        console.error(rows.at(-1));
      }
      for (const test of set.tests)
        if (!existsSync(join(folder, `${test.file}.jsonl`))) absent.push(`${set.name}, ${test.name}`);
      if (judgedAny) continue;
      const judged = await models.judgeFolds(set.training, training);
      rows.push(row(set.name, `${FOLDED}, three folds`, judged, set.tests[0]!.aims));
      evidence.push(evidenceOf(set.name, judged));
      costs.push(...costLines(set.name, judged));
      console.error(rows.at(-1));
    }
  } finally {
    await pool.close();
  }
  if (rows.length === 0)
    throw new UserError(
      `None of the sets is in ${folder}: ${SETS.map((set) => `${set.training}.jsonl`).join(', ')}`,
    );
  return section(rows, evidence, costs, absent);
}

function section(
  rows: readonly string[],
  evidence: readonly string[],
  costs: readonly string[],
  absent: readonly string[],
): string {
  return [
    'Per cent over prompts (over tasks). Per set a router model is trained on the training prompts, without labels, and',
    `quality is learned from their scores; seed ${SEED}. "Lead" is over the best single expert, paired, ± one standard error. Best single`,
    'expert, task oracle (which is told the true task) and nearest neighbour are chosen by the training half. Where there is no',
    'test half, three folds of the training half stand in, with a third less to learn from.',
    '',
    '| set | judged on, prompts | best single | **router** | lead | aim | nearest neighbour | task oracle | random | per-prompt oracle |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    ...costs.flatMap((line) => [line, '']),
    'What `learn` expected beforehand, by cross-validation on what it learned from:',
    '',
    ...evidence,
    ...(absent.length > 0
      ? ['', `Not measured, for want of the file: ${[...new Set(absent)].join('; ')}.`]
      : []),
  ].join('\n');
}

await runScript(async () => {
  const folder = process.argv[2];
  if (folder === undefined) throw new UserError('usage: npm run eval:scores -- FOLDER');
  const measured = await measure(folder);
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(MARKS[0]);
  const after = rest?.split(MARKS[1])[1];
  if (before === undefined || after === undefined)
    throw new UserError(`${PAGE} lacks the marks ${MARKS.join(' and ')}`);
  await writeFileAtomically(PAGE, `${before}${MARKS[0]}\n\n${measured}\n\n${MARKS[1]}${after}`);
  console.log(measured);
});
