/** A judgement in lines for a terminal. */
import { textTable } from '../../report/text-table.ts';
import type { Judgement } from './judge.ts';

export function judgementText(judgement: Judgement): readonly string[] {
  const { alternatives, figures, calibration, roc, stability } = judgement;
  const hasTasks = judgement.tasks.length > 1;
  const hasCosts = alternatives.some(({ cost }) => cost !== null);
  return [
    `${figures.n} prompts; ${judgement.fromLabels ? 'shares right' : 'mean scores'} in per cent`,
    '',
    textTable([
      [
        'choosing by',
        'micro',
        ...(hasTasks ? ['macro'] : []),
        ...(hasCosts ? ['cost'] : []),
        'router leads by',
      ],
      ...alternatives.map(({ name, micro, macro, cost, lead }) => [
        name,
        percent(micro),
        ...(hasTasks ? [percent(macro)] : []),
        ...(hasCosts ? [cost === null ? '' : cost.toPrecision(3)] : []),
        lead === null ? '' : `${signed(lead.mean)} ± ${percent(lead.standardError)}`,
      ]),
    ]),
    '',
    ...(judgement.hindsight
      ? [
          'Best single expert, task oracle and neighbours are chosen in hindsight on these very prompts; --train names a file to choose them by.',
        ]
      : []),
    ...(judgement.unscored > 0
      ? [`${judgement.unscored} prompts went to an expert that has no score for them; they are in no mean.`]
      : []),
    ...(calibration
      ? [`Calibration: expected scores are off by ${percent(calibration.error)} points on average.`]
      : []),
    ...(roc
      ? [
          `Outside (${judgement.outsideIs === 'given' ? 'the prompts given' : 'gibberish'}): area under the ROC ${roc.area.toFixed(3)}; ${percent(roc.inForce.hits, 0)} % recognised, ${percent(roc.inForce.falseAlarms, 1)} % false alarms.`,
        ]
      : []),
    `Stability: ${stability.map(({ name, same }) => `${name} ${percent(same, 0)} %`).join(', ')} keep their expert.`,
    ...oneTask(judgement),
  ];
}

function oneTask({ tasks }: Judgement): readonly string[] {
  return tasks.length === 1
    ? [
        `All prompts are of one task, '${tasks[0]!.task}': there is no mean over tasks and no task oracle to speak of.`,
      ]
    : [];
}

export function percent(share: number, digits = 2): string {
  return Number.isNaN(share) ? '–' : (100 * share).toFixed(digits);
}

export function signed(share: number): string {
  return Number.isNaN(share) ? '–' : `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`;
}
