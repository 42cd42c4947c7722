/** The part of `train` for prompts with labels: they choose the number of clusters, and which expert a prompt suits. */
import type { TaskRunner } from '../core/tasks.ts';
import type { RouterModel } from '../deciding/model/router-model.ts';
import { learnModel } from '../learning/quality/learn-model.ts';
import { learnedText } from '../learning/quality/report.ts';
import { type Corpus, corpusIn } from '../learning/training/corpus.ts';
import type { FitOptions } from '../learning/training/fit.ts';
import type { PromptStore } from '../learning/training/prompt-store.ts';
import { describedIn, type OutcomeFlags, outcomesFrom } from './outcome-options.ts';

interface Labelled {
  corpusIn(store: PromptStore): Corpus;
  /** None for a label that only one prompt has: nothing can be judged by it. */
  labelOf(prompt: string): string | undefined;
  assign(
    model: RouterModel,
    options: Pick<FitOptions, 'seed' | 'onStage'>,
    tasks: TaskRunner,
  ): Promise<RouterModel>;
  report(model: RouterModel): readonly string[];
}

/** @throws UserError when there is no such field, or no prompt has a label */
export async function readLabelled(
  paths: readonly string[],
  { label, field, deidentify, config }: Pick<OutcomeFlags, 'label' | 'field' | 'deidentify' | 'config'>,
): Promise<Labelled> {
  const outcomes = await outcomesFrom(paths, {
    ...(label === undefined ? {} : { label }),
    ...(field === undefined ? {} : { field }),
    ...(deidentify === undefined ? {} : { deidentify }),
    ...(config === undefined ? {} : { config }),
    labelsOnly: true,
  });
  const described = await describedIn(config === undefined ? {} : { config });
  const { prompts, labels } = outcomes;
  const counts = new Map<string | null, number>();
  for (const one of labels) counts.set(one, (counts.get(one) ?? 0) + 1);
  const known = new Map(
    prompts.flatMap((prompt, row) => {
      const own = labels[row]!;
      return own === null || counts.get(own) === 1 ? [] : [[prompt, own] as const];
    }),
  );
  return {
    corpusIn: (store) => corpusIn(store, prompts, paths.length === 1 ? paths[0]! : 'given'),
    labelOf: (prompt) => known.get(prompt),
    assign: (model, { seed, onStage }, tasks) =>
      learnModel(model, outcomes, { seed, described, ...(onStage ? { onStage } : {}) }, tasks),
    report: ({ quality }) => (quality ? learnedText(quality, outcomes) : []),
  };
}
