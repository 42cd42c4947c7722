/** From a router model and outcomes to a router model that knows how good each expert is where. */
import { UserError } from '../../core/errors.ts';
import { packTexts, type TaskRunner, type TextBatch } from '../../core/tasks.ts';
import { embedAll } from '../../deciding/embedding/batch.ts';
import type { AnyEmbedding, EmbeddedTexts } from '../../deciding/embedding/embedding.ts';
import { contentId } from '../../deciding/model/artefact.ts';
import { type RouterModel, routerModel } from '../../deciding/model/router-model.ts';
import type { Quality } from '../../deciding/quality/quality.ts';
import { columnMeans, type Outcomes } from '../outcomes/outcomes.ts';
import type { RecordedOutcomes } from '../outcomes/records.ts';
import { type LearnOptions, learnQuality } from './learn.ts';

/** Prompts below which nothing is learned: a fold would have a dozen. */
const LEAST_PROMPTS = 40;
const BATCH = 1_024;

export type ModelWithQuality = RouterModel & { readonly quality: Quality };

/**
 * Equal outcomes, model and seed give an equal model, on any number of threads.
 * @throws UserError for too few prompts, or fewer than two experts
 */
export async function learnModel(
  model: RouterModel,
  outcomes: Outcomes,
  options: Omit<LearnOptions, 'prices'>,
  tasks: TaskRunner,
): Promise<ModelWithQuality> {
  const { prompts, experts, scores } = outcomes;
  requireEnough(prompts.length, experts);
  const points = await embedPrompts(model.embedding, prompts, tasks, options.onStage);
  const costs = columnMeans(outcomes.costs, experts.length);
  const latencies = columnMeans(outcomes.latencies, experts.length);
  const prices = experts.map((_, expert) => ({ cost: costs[expert]!, latency: latencies[expert]! }));
  const matrix = { experts, prompts: prompts.length, values: scores };
  return withQuality(model, await learnQuality(points, matrix, { ...options, prices }, tasks));
}

/** The same from prompts whose vectors alone are known. @throws UserError as `learnModel` does */
export async function learnFromVectors(
  model: RouterModel,
  { experts, points, scores }: Pick<RecordedOutcomes, 'experts' | 'points' | 'scores'>,
  options: LearnOptions,
  tasks: TaskRunner,
): Promise<ModelWithQuality> {
  requireEnough(points.count, experts);
  const matrix = { experts, prompts: points.count, values: scores };
  return withQuality(model, await learnQuality(points, matrix, options, tasks));
}

function requireEnough(prompts: number, experts: readonly string[]): void {
  if (experts.length < 2)
    throw new UserError(
      `Only ${experts.join(', ') || 'no expert'} has scores: with one expert there is nothing to choose. Scores of two or more are needed.`,
    );
  if (prompts < LEAST_PROMPTS)
    throw new UserError(
      `${prompts} prompts are too few to learn from; at least ${LEAST_PROMPTS} are needed, and hundreds are better.`,
    );
}

function withQuality(model: RouterModel, quality: Quality): ModelWithQuality {
  const parts = { ...model, quality };
  return { ...routerModel({ ...parts, id: contentId(parts) }), quality };
}

/** Vectors of the prompts as a decision sees them. */
export async function embedPrompts(
  embedding: AnyEmbedding,
  prompts: readonly string[],
  tasks: TaskRunner,
  onStage?: LearnOptions['onStage'],
): Promise<EmbeddedTexts> {
  const batches: TextBatch[] = [];
  for (let at = 0; at < prompts.length; at += BATCH) batches.push(packTexts(prompts.slice(at, at + BATCH)));
  const points = await embedAll(embedding, batches, prompts.length, tasks);
  onStage?.('embedding', prompts.length, prompts.length);
  return points;
}
