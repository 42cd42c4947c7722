/** `expert-router calibrate-cost`: the curve of score against cost, and the setting that meets an aim. */
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { DEFAULT_MODEL, loadModelFile } from '../deciding/model/file.ts';
import { percent, signed } from '../learning/judging/text.ts';
import {
  type Aim,
  type PairMeasures,
  pairMeasures,
  pointFor,
  type TradeOff,
  type TradeOffPoint,
  tradeOff,
  upperHull,
} from '../learning/judging/trade-off.ts';
import { tradeOffPage } from '../learning/judging/trade-off-page.ts';
import { columnMeans, type Outcomes } from '../learning/outcomes/outcomes.ts';
import { outOfFold } from '../learning/quality/learn.ts';
import { embedPrompts, sharesOf } from '../learning/quality/learn-model.ts';
import { openPool } from '../learning/training/pool.ts';
import { textTable } from '../report/text-table.ts';
import { positive, positiveWhole } from './numbers.ts';
import { addOutcomeOptions, describedIn, type OutcomeFlags, outcomesFrom } from './outcome-options.ts';
import { stageClock } from './train-stages.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
Every prompt is judged by what was learned from the others, so that the curve holds for new prompts. Costs are those in
the file, in its unit. The setting goes into the config, as
  worth:
    score_per_cost: 12.5

Examples:
  $ expert-router calibrate-cost outcomes.jsonl --model my.router.safetensors --per-thousand 2
  $ expert-router calibrate-cost outcomes.jsonl --strong gpt-4 --share 30 --report curve.html
  $ expert-router calibrate-cost outcomes.jsonl --keep 100        the best single expert's score at the least cost`;

interface CalibrateCostFlags extends OutcomeFlags {
  readonly model?: string;
  readonly perThousand?: number;
  readonly strong?: string;
  readonly weak?: string;
  readonly share?: number;
  readonly keep?: number;
  readonly report?: string;
  readonly seed: number;
  readonly threads: number;
  readonly json?: boolean;
}

export function calibrateCostCommand(): Command {
  const command = new Command('calibrate-cost')
    .argument('<files...>', 'prompts with scores and costs, laid out as for learn')
    .option('-m, --model <file>', 'the router model whose vectors are used; the shipped one when absent');
  return addOutcomeOptions(command)
    .option('--per-thousand <cost>', 'spend at most this on a thousand prompts', positive)
    .option('--share <percent>', 'send at most this share to the strong expert', share)
    .option('--strong <expert>', 'the strong expert; the best single one when absent')
    .option('--weak <expert>', 'the weak one of APGR and CPT; the cheapest when absent')
    .option(
      '--keep <percent>',
      "keep this much of the best single expert's score, at the least cost",
      positive,
    )
    .option('--report <file>', 'write a page with the curve (.html)')
    .option('--seed <number>', 'equal seeds give equal curves', positiveWhole, 1)
    .option('--threads <number>', 'threads, which change nothing', positiveWhole, availableParallelism())
    .option('--json', 'machine-readable output: the whole curve')
    .addHelpText('after', EXAMPLES)
    .action(calibrateCost);
}

function share(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('expected a share in per cent, from 0 to 100.');
  return value / 100;
}

async function calibrateCost(files: readonly string[], flags: CalibrateCostFlags): Promise<void> {
  const outcomes = await outcomesFrom(files, flags);
  const { experts, prompts, scores } = outcomes;
  const costs = columnMeans(outcomes.costs, experts.length);
  const unknown = experts.filter((_, expert) => costs[expert] === null);
  if (unknown.length > 0)
    throw new UserError(
      `No cost is known of ${unknown.join(', ')}; score can be weighed against cost only where every expert has one. Add "costs" to the file.`,
    );
  const model = await loadModelFile(flags.model ?? DEFAULT_MODEL);
  const clock = stageClock();
  const pool = openPool(flags.threads);
  try {
    const points = await embedPrompts(model.embedding, prompts, pool, clock.stage);
    const found = await outOfFold(
      points,
      { experts, prompts: prompts.length, values: scores },
      {
        seed: flags.seed,
        shares: await sharesOf(model, points, experts, await describedIn(flags)),
        onStage: clock.stage,
      },
      pool,
    );
    clock.end();
    const prices = costs.map((cost) => ({ cost, latency: null }));
    const curve = tradeOff(outcomes, { ...found, prices });
    const pair = pairOf(outcomes, found.predicted, curve, flags);
    await tell(curve, pair, flags);
  } finally {
    await pool.close();
  }
}

function pairOf(
  { experts, ...rest }: Outcomes,
  predicted: Float64Array,
  { best, singles }: TradeOff,
  { strong, weak }: CalibrateCostFlags,
): PairMeasures {
  const cheapest = singles.reduce((a, b) => (b.cost < a.cost ? b : a)).expert;
  const strongest = indexOf(experts, strong ?? experts[best]!);
  return pairMeasures({ experts, ...rest }, predicted, strongest, indexOf(experts, weak ?? cheapest));
}

function indexOf(experts: readonly string[], name: string): number {
  const index = experts.indexOf(name);
  if (index >= 0) return index;
  throw new UsageError(`There is no expert '${name}' in the file; it has ${experts.join(', ')}.`);
}

function aimOf(flags: CalibrateCostFlags, { experts, best }: TradeOff): Aim | null {
  const { perThousand, share: atMost, keep, strong } = flags;
  const given = [perThousand, atMost, keep].filter((one) => one !== undefined);
  if (given.length > 1)
    throw new UsageError('--per-thousand, --share and --keep are three aims for one knob: give one of them.');
  if (perThousand !== undefined) return { kind: 'cost', atMost: perThousand / 1000 };
  if (atMost !== undefined) return { kind: 'share', expert: strong ?? experts[best]!, atMost };
  return keep === undefined ? null : { kind: 'best-single', keep: keep / 100 };
}

async function tell(curve: TradeOff, pair: PairMeasures, flags: CalibrateCostFlags): Promise<void> {
  const aim = aimOf(flags, curve);
  const point = aim && pointFor(curve, aim);
  for (const line of curveText(curve, pair)) process.stderr.write(`${line}\n`);
  if (aim && !point) throw new UserError('No setting meets that aim. The table above has what there is.');
  if (point) for (const line of pointText(point, curve)) process.stderr.write(`${line}\n`);
  if (flags.report !== undefined) {
    await writeFileAtomically(flags.report, tradeOffPage(curve, pair, point));
    process.stderr.write(`report: ${flags.report}\n`);
  }
  if (flags.json) console.log(JSON.stringify(asJson(curve, pair, point), null, 2));
  else if (point) console.log(`worth:\n  score_per_cost: ${Number(point.scorePerCost.toPrecision(4))}`);
}

function curveText(curve: TradeOff, pair: PairMeasures): readonly string[] {
  const row = ({ scorePerCost, score, cost, lead }: TradeOffPoint): readonly string[] => [
    scorePerCost.toPrecision(3),
    percent(score),
    (1000 * cost).toPrecision(3),
    `${signed(lead.mean)} ± ${percent(lead.standardError)}`,
  ];
  const best = curve.singles[curve.best]!;
  return [
    textTable([
      ['score_per_cost', 'score %', 'cost of 1,000', 'over the best single'],
      ...upperHull(curve.points).map(row),
    ]),
    '',
    `Best single: ${best.expert}, ${percent(best.score)} % at ${(1000 * best.cost).toPrecision(3)} a thousand.`,
    `AIQ ${curve.aiq.toFixed(4)}; single experts mixed by lot ${curve.aiqWithoutRouter.toFixed(4)}.`,
    `${pair.strong} against ${pair.weak}: APGR ${pair.apgr.toFixed(3)}, CPT(50 %) ${shareText(pair.cpt50)}, CPT(80 %) ${shareText(pair.cpt80)} of the calls to the strong one.`,
  ];
}

function shareText(value: number | null): string {
  return value === null ? '–' : `${percent(value, 1)} %`;
}

function pointText(point: TradeOffPoint, { experts, singles, best }: TradeOff): readonly string[] {
  const single = singles[best]!;
  const used = experts
    .map((expert, index) => ({ expert, share: point.shares[index]! }))
    .filter(({ share: part }) => part > 0)
    .sort((a, b) => b.share - a.share)
    .map(({ expert, share: part }) => `${expert} ${percent(part, 0)} %`);
  const saved = 1 - point.cost / single.cost;
  return [
    '',
    `Chosen: ${percent(point.score)} % at ${(1000 * point.cost).toPrecision(3)} a thousand, ${percent(Math.abs(saved), 0)} % ${saved >= 0 ? 'below' : 'above'} the best single expert's cost, ${signed(point.lead.mean)} ± ${percent(point.lead.standardError)} points beside its score.`,
    `  ${used.join(', ')}`,
  ];
}

function asJson(curve: TradeOff, pair: PairMeasures, point: TradeOffPoint | null): object {
  const one = (at: TradeOffPoint): object => ({
    score_per_cost: at.scorePerCost,
    score: at.score,
    cost: at.cost,
    latency: at.latency,
    shares: Object.fromEntries(curve.experts.map((expert, index) => [expert, at.shares[index]])),
    delta_vs_best_single: at.lead.mean,
    standard_error: at.lead.standardError,
  });
  return {
    chosen: point && one(point),
    points: curve.points.map(one),
    singles: curve.singles,
    best_single: curve.experts[curve.best],
    aiq: curve.aiq,
    aiq_without_router: curve.aiqWithoutRouter,
    strong: pair.strong,
    weak: pair.weak,
    apgr: pair.apgr,
    cpt50: pair.cpt50,
    cpt80: pair.cpt80,
  };
}
