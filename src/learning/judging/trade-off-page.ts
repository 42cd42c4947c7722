/** The curve of score against cost as a page. */
import { lineChart } from '../../report/line-chart.ts';
import { htmlTable, page, tiles } from '../../report/page.ts';
import { percent, signed } from './text.ts';
import { type PairMeasures, type TradeOff, type TradeOffPoint, upperHull } from './trade-off.ts';

export function tradeOffPage(curve: TradeOff, pair: PairMeasures, chosen: TradeOffPoint | null): string {
  const { singles, best, aiq, aiqWithoutRouter } = curve;
  const place = ({
    cost,
    score,
  }: {
    readonly cost: number;
    readonly score: number;
  }): { x: number; y: number } => ({
    x: 1000 * cost,
    y: 100 * score,
  });
  const hull = upperHull(curve.points);
  return page({
    title: 'What a point of score costs',
    subtitle: 'Every prompt judged by what was learned from the others.',
    sections: [
      {
        heading: 'Summary',
        figures: [
          tiles([
            [`best single: ${singles[best]!.expert}`, `${percent(singles[best]!.score)} %`],
            ['its cost of 1,000', (1000 * singles[best]!.cost).toPrecision(3)],
            ...(chosen
              ? ([
                  ['chosen', `${percent(chosen.score)} %`],
                  ['cost of 1,000', (1000 * chosen.cost).toPrecision(3)],
                ] as const)
              : []),
            ['AIQ', aiq.toFixed(4)],
            ['AIQ without a router', aiqWithoutRouter.toFixed(4)],
            [`APGR, ${pair.strong} / ${pair.weak}`, pair.apgr.toFixed(3)],
          ]),
        ],
      },
      {
        heading: 'The curve',
        text: 'Score against the cost of a thousand answers: the router at every setting, single experts mixed by lot, and all single experts.',
        figures: [
          lineChart({
            title: 'Score and cost',
            x: { label: 'cost of 1,000 answers' },
            y: { label: 'score, %' },
            series: [
              {
                name: 'router',
                points: hull.map((point) => ({
                  ...place(point),
                  note: `score_per_cost ${point.scorePerCost.toPrecision(3)}: ${percent(point.score)} % at ${(1000 * point.cost).toPrecision(3)}`,
                })),
              },
              {
                name: 'by lot',
                dashed: true,
                points: upperHull(singles).map((single) => ({ ...place(single), note: single.expert })),
              },
            ],
          }),
        ],
      },
      {
        heading: 'Settings',
        figures: [
          htmlTable(
            ['score_per_cost', 'score %', 'cost of 1,000', 'over the best single'],
            hull.map(({ scorePerCost, score, cost, lead }) => [
              scorePerCost.toPrecision(3),
              percent(score),
              (1000 * cost).toPrecision(3),
              `${signed(lead.mean)} ± ${percent(lead.standardError)}`,
            ]),
          ),
          htmlTable(
            ['single expert', 'score %', 'cost of 1,000'],
            singles.map(({ expert, score, cost }) => [expert, percent(score), (1000 * cost).toPrecision(3)]),
          ),
        ],
      },
    ],
    footer: 'Made by expert-router calibrate-cost.',
  });
}
