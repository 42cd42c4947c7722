/** A judgement as a page with pictures. */
import { lineChart } from '../../report/line-chart.ts';
import { barTable, htmlTable, page, type Section, tiles } from '../../report/page.ts';
import type { Judgement } from './judge.ts';
import { percent, signed } from './text.ts';

/** A larger matrix is no longer read. */
const MOST_NAMES = 30;

export function judgementPage(judgement: Judgement, model: string): string {
  const { figures, fromLabels } = judgement;
  return page({
    title: 'How well the router chooses',
    subtitle: `${figures.n} prompts. ${fromLabels ? 'Shares of right choices' : 'Mean scores'} in per cent; ± is one standard error, paired by prompt.`,
    sections: [
      summary(judgement),
      alternativesSection(judgement),
      ...tasksSection(judgement),
      confusionSection(judgement),
      ...calibrationSection(judgement),
      ...rocSection(judgement),
      stabilitySection(judgement),
    ],
    footer: `Router model ${model}.`,
  });
}

function summary({ figures, bestSingle }: Judgement): Section {
  return {
    heading: 'Summary',
    figures: [
      tiles([
        ['router', `${percent(figures.score_micro)} %`],
        [`best single: ${bestSingle}`, `${percent(figures.best_single)} %`],
        ['difference', `${signed(figures.delta_vs_best_single)} ± ${percent(figures.standard_error)}`],
        ['per-prompt oracle', `${percent(figures.oracle)} %`],
        ...(figures.cost === null ? [] : [['cost of an answer', figures.cost.toPrecision(3)] as const]),
      ]),
    ],
  };
}

function alternativesSection({ alternatives, hindsight }: Judgement): Section {
  return {
    heading: 'Beside other ways of choosing',
    text: hindsight
      ? 'Best single expert, task oracle and neighbours are chosen in hindsight on these very prompts.'
      : 'Best single expert, task oracle and neighbours are chosen by other prompts than these.',
    figures: [
      barTable(alternatives.map(({ name, micro }) => [name, `${percent(micro)} %`, Math.min(1, micro)])),
      htmlTable(
        ['choosing by', 'micro', 'macro', 'cost', 'router leads by'],
        alternatives.map(({ name, micro, macro, cost, lead }) => [
          name,
          percent(micro),
          percent(macro),
          cost === null ? '' : cost.toPrecision(3),
          lead === null ? '' : `${signed(lead.mean)} ± ${percent(lead.standardError)}`,
        ]),
      ),
    ],
  };
}

function tasksSection({ tasks }: Judgement): readonly Section[] {
  if (tasks.length < 2) return [];
  return [
    {
      heading: 'By task',
      figures: [
        htmlTable(
          ['task', 'prompts', 'router', 'best single'],
          tasks.map(({ task, n, score, bestSingle }) => [
            task,
            String(n),
            percent(score),
            percent(bestSingle),
          ]),
        ),
      ],
    },
  ];
}

function confusionSection({ confusion: { names, counts }, fromLabels }: Judgement): Section {
  const used = names.map((_, index) => index).filter((index) => total(counts, index) > 0);
  const shown = used.slice(0, MOST_NAMES);
  return {
    heading: 'Who was right, who was chosen',
    text: fromLabels
      ? 'Rows: the expert that is right; columns: the one chosen.'
      : 'Rows: the best expert on the prompt; columns: the one chosen. A choice that scores as well as the best is right; prompts on which all score alike are left out.',
    figures: [
      htmlTable(
        ['right \\ chosen', ...shown.map((index) => names[index]!)],
        shown.map((row) => [names[row]!, ...shown.map((column) => String(counts[row]![column]!))]),
      ),
    ],
  };
}

function total(counts: readonly (readonly number[])[], index: number): number {
  return (
    counts[index]!.reduce((sum, count) => sum + count, 0) + counts.reduce((sum, row) => sum + row[index]!, 0)
  );
}

function calibrationSection({ calibration }: Judgement): readonly Section[] {
  if (!calibration) return [];
  const { bins, error } = calibration;
  const low = bins[0]!.expected;
  const high = bins.at(-1)!.expected;
  return [
    {
      heading: 'Do expectations come true?',
      text: `Expected scores of the chosen experts against actual ones; off by ${percent(error)} points on average.`,
      figures: [
        lineChart({
          title: 'Calibration',
          x: { label: 'expected score' },
          y: { label: 'actual score' },
          series: [
            {
              name: 'actual',
              points: bins.map(({ expected, actual, standardError }) => ({
                x: expected,
                y: actual,
                low: actual - standardError,
                high: actual + standardError,
              })),
            },
            {
              name: 'perfect',
              dashed: true,
              points: [
                { x: low, y: low },
                { x: high, y: high },
              ],
            },
          ],
        }),
      ],
    },
  ];
}

function rocSection({ roc, outsideIs }: Judgement): readonly Section[] {
  if (!roc) return [];
  return [
    {
      heading: 'Is the unknown recognised?',
      text: `Strangeness as a test for ${outsideIs === 'given' ? 'the outside prompts given' : 'gibberish'}: area ${roc.area.toFixed(3)}. At the threshold in force ${percent(roc.inForce.hits, 0)} % are recognised, with ${percent(roc.inForce.falseAlarms, 1)} % false alarms.`,
      figures: [
        lineChart({
          title: 'ROC of "outside"',
          x: { label: 'false alarms' },
          y: { label: 'recognised' },
          series: [
            {
              name: 'strangeness',
              points: roc.points.map(({ falseAlarms, hits }) => ({ x: falseAlarms, y: hits })),
            },
            {
              name: 'chance',
              dashed: true,
              points: [
                { x: 0, y: 0 },
                { x: 1, y: 1 },
              ],
            },
          ],
        }),
      ],
    },
  ];
}

function stabilitySection({ stability }: Judgement): Section {
  return {
    heading: 'Does the same question stay where it is?',
    text: 'Share of prompts that keep their expert when they are written otherwise, and what the choice then scores.',
    figures: [
      barTable(stability.map(({ name, same }) => [name, `${percent(same, 1)} %`, same])),
      htmlTable(
        ['written otherwise', 'same expert', 'score'],
        stability.map(({ name, same, score }) => [name, percent(same, 1), percent(score)]),
      ),
    ],
  };
}
