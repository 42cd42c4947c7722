/** From a router model and outcomes to a router model that knows how good each expert is where. */
import { UserError } from '../../core/errors.ts';
import { packTexts, type TaskRunner, type TextBatch } from '../../core/tasks.ts';
import type { Points } from '../../deciding/clustering/points.ts';
import { embedAll } from '../../deciding/embedding/batch.ts';
import type { AnyEmbedding, EmbeddedTexts } from '../../deciding/embedding/embedding.ts';
import { contentId } from '../../deciding/model/artefact.ts';
import { type RouterModel, routerModel } from '../../deciding/model/router-model.ts';
import type { Quality } from '../../deciding/quality/quality.ts';
import { claimShares } from '../../deciding/routing/claims.ts';
import { type DescribedExpert, describeExperts } from '../../deciding/routing/described.ts';
import { sharesOfScored } from '../../deciding/routing/learned.ts';
import { columnMeans, type Outcomes } from '../outcomes/outcomes.ts';
import type { RecordedOutcomes } from '../outcomes/records.ts';
import { type LearnOptions, learnQuality } from './learn.ts';

/** Prompts below which nothing is learned: a fold would have a dozen. */
const LEAST_PROMPTS = 40;
const BATCH = 1_024;

export interface LearnModelOptions extends Omit<LearnOptions, 'prices' | 'shares'> {
  /** The experts as their config describes them; none where it is not known. */
  readonly described?: readonly DescribedExpert[];
}

export type ModelWithQuality = RouterModel & { readonly quality: Quality };

/**
 * Equal outcomes, model and seed give an equal model, on any number of threads.
 * @throws UserError for too few prompts, or fewer than two experts
 */
export async function learnModel(
  model: RouterModel,
  outcomes: Outcomes,
  options: LearnModelOptions,
  tasks: TaskRunner,
): Promise<ModelWithQuality> {
  const { prompts, experts, scores } = outcomes;
  requireEnough(prompts.length, experts);
  const points = await embedPrompts(model.embedding, prompts, tasks, options.onStage);
  const costs = columnMeans(outcomes.costs, experts.length);
  const latencies = columnMeans(outcomes.latencies, experts.length);
  const prices = experts.map((_, expert) => ({ cost: costs[expert]!, latency: latencies[expert]! }));
  const matrix = { experts, prompts: prompts.length, values: scores };
  const shares = await sharesOf(model, points, experts, options.described);
  return withQuality(model, await learnQuality(points, matrix, { ...options, prices, shares }, tasks));
}

/** The same from prompts whose vectors alone are known. @throws UserError as `learnModel` does */
export async function learnFromVectors(
  model: RouterModel,
  { experts, points, scores }: Pick<RecordedOutcomes, 'experts' | 'points' | 'scores'>,
  options: LearnModelOptions,
  tasks: TaskRunner,
): Promise<ModelWithQuality> {
  requireEnough(points.count, experts);
  const matrix = { experts, prompts: points.count, values: scores };
  const shares = await sharesOf(model, points, experts, options.described);
  return withQuality(model, await learnQuality(points, matrix, { ...options, shares }, tasks));
}

/**
 * What the texts of the config's experts claim of each prompt.
 * @param experts those that were scored, in the order of the columns
 * @returns n × m shares; null where no text is known
 */
export async function sharesOf(
  model: RouterModel,
  { values, count, dimensions }: Points,
  experts: readonly string[],
  described: readonly DescribedExpert[] = [],
): Promise<Float64Array | null> {
  const { claims } = await describeExperts(model, described);
  if (claims === null) return null;
  const scored = described.map(({ id }) => {
    const index = experts.indexOf(id);
    return index < 0 ? null : index;
  });
  const shares = new Float64Array(count * experts.length);
  for (let row = 0; row < count; row += 1) {
    const vector = values.subarray(row * dimensions, (row + 1) * dimensions);
    shares.set(sharesOfScored(claimShares(claims, vector), scored, experts.length), row * experts.length);
  }
  return shares;
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
