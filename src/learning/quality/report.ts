/** What was learned from scores, in lines for a person. */

import type { Quality } from '../../deciding/quality/quality.ts';
import { textTable } from '../../report/text-table.ts';
import type { Outcomes } from '../outcomes/outcomes.ts';

/** What of the outcomes the report speaks of. */
type Told = Pick<Outcomes, 'scores' | 'tasks'>;

export function learnedText(quality: Quality, outcomes: Told): readonly string[] {
  const { evidence, experts, best } = quality;
  return [
    `${evidence.prompts} prompts, ${experts.length} experts, ${evidence.scores} scores; on ${evidence.deciding} prompts the experts' scores differ`,
    '',
    textTable([
      ['expert', 'scores', 'mean', '±', ...(hasPrices(quality) ? ['cost', 'seconds'] : [])],
      ...experts.map((expert, index) => expertRow(quality, outcomes, expert, index)),
    ]),
    '',
    verdict(quality),
    ...coverageNote(quality),
    ...claimsNote(quality),
    ...tasksNote(outcomes),
    `Where every expert is best, cluster by cluster: expert-router inspect <model>. '${experts[best]}' is the best single expert.`,
  ];
}

function hasPrices({ prices }: Quality): boolean {
  return prices.some(({ cost, latency }) => cost !== null || latency !== null);
}

function expertRow(quality: Quality, { scores }: Told, expert: string, index: number): readonly string[] {
  const { means, variances, prices, experts } = quality;
  let count = 0;
  for (let at = index; at < scores.length; at += experts.length) count += Number(!Number.isNaN(scores[at]!));
  const { cost, latency } = prices[index]!;
  return [
    expert,
    String(count),
    percent(means[index]!),
    percent(Math.sqrt(variances[index]!)),
    ...(hasPrices(quality)
      ? [cost === null ? '' : cost.toPrecision(3), latency === null ? '' : latency.toFixed(2)]
      : []),
  ];
}

function verdict({ evidence, experts, best, headStart }: Quality): string {
  const { gain, standardError, bestSingle, significant } = evidence;
  const figures = `${signed(gain)} ± ${percent(standardError)} points`;
  if (!significant)
    return `In cross-validation choosing by prompt does not beat '${experts[best]}' (${percent(bestSingle)} %) by more than one standard error (${figures}): every prompt goes to '${experts[best]}' until there are more scores.`;
  const lead = headStart > 0 ? ` '${experts[best]}' has a head start of ${percent(headStart)} points.` : '';
  return `In cross-validation choosing by prompt scores ${percent(bestSingle + gain)} %, where '${experts[best]}' alone scores ${percent(bestSingle)} %: ${figures}.${lead}`;
}

function coverageNote({ evidence: { coverage } }: Quality): readonly string[] {
  if (!coverage) return [];
  return [
    `On ${Math.round(100 * coverage.share)} % of the prompts on which experts differ, the best is among those expected within ${percent(coverage.gap)} points of the highest; \`route\` shows them.`,
  ];
}

function claimsNote({ claims }: Quality): readonly string[] {
  if (!claims) return [];
  return [
    claims.weight === 0
      ? "The experts' descriptions and samples say nothing beyond the scores: they do not count."
      : `The experts' descriptions and samples count too: with every tenth of the claims on a prompt an expert is expected ${percent(claims.weight / 10)} points higher.`,
  ];
}

function tasksNote({ tasks }: Told): readonly string[] {
  const named = tasks.filter((task) => task !== null);
  if (named.length === 0) return [];
  const distinct = new Set(named);
  return distinct.size === 1
    ? [
        `All prompts are of one task, '${named[0]}': nothing is known about others, and the mean over tasks is the mean over prompts.`,
      ]
    : [];
}

function percent(share: number): string {
  return (100 * share).toFixed(2);
}

function signed(share: number): string {
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`;
}
