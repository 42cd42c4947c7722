/** To train a router model, to teach it from scores, and to judge it. */
import { availableParallelism } from 'node:os';
import { writeFileAtomically } from './core/files.ts';
import { writeRouterModel } from './deciding/model/artefact.ts';
import type { RouterModel } from './deciding/model/router-model.ts';
import type { DescribedExpert } from './deciding/routing/described.ts';
import { deciderBy } from './learning/judging/choice.ts';
import { type Judgement, type JudgeOptions, judge } from './learning/judging/judge.ts';
import type { Outcomes } from './learning/outcomes/outcomes.ts';
import { learnModel, type ModelWithQuality } from './learning/quality/learn-model.ts';
import { openPool } from './learning/training/pool.ts';
import type { PromptRouter } from './router.ts';

export { UserError } from './core/errors.ts';
export { adjustedRandIndex, normalisedMutualInformation, purity } from './deciding/clustering/quality.ts';
export type { RouterModel } from './deciding/model/router-model.ts';
export type { ClaimsCount, Evidence, Price, Quality } from './deciding/quality/quality.ts';
export type { DescribedExpert } from './deciding/routing/described.ts';
export type { Figures, Judgement } from './learning/judging/judge.ts';
export type { Outcomes } from './learning/outcomes/outcomes.ts';
export { type OutcomeOptions, outcomesOf, readOutcomes } from './learning/outcomes/read.ts';
export type { CalibrationCheck } from './learning/training/calibrate.ts';
export type { TriedCount } from './learning/training/choose-clusters.ts';
export type { ClusterExamples } from './learning/training/examples.ts';
export type { FitOptions, HeldOut } from './learning/training/fit.ts';
export {
  type Prompts,
  TRAINING_DEFAULTS,
  type Trained,
  type TrainingOptions,
  train,
} from './learning/training/train.ts';

/**
 * Writes a model to a file, for `router:` in a config and for `loadRouterModel`. The file appears whole or not at all.
 * @throws Error of the file system
 * @example
 * await saveRouterModel(model, 'my.router.safetensors');
 */
export async function saveRouterModel(model: RouterModel, file: string): Promise<void> {
  await writeFileAtomically(file, writeRouterModel(model));
}

export interface LearningOptions {
  /** Equal seeds give equal models; 1 when absent. */
  readonly seed?: number;
  /** Number of threads, which does not affect the model; as many as there are cores when absent. */
  readonly threads?: number;
  /** The experts as the config describes them: their texts then count beside the scores, the more the fewer those are. */
  readonly experts?: readonly DescribedExpert[];
  readonly onStage?: (stage: string, done: number, total: number) => void;
}

/**
 * Learns from scored prompts how good each expert is where. The model that comes back is the given one with that added;
 * its `quality.evidence` says whether choosing by prompt gains anything.
 * @throws UserError for fewer than 40 prompts or two experts
 * @example
 * const outcomes = await readOutcomes(['outcomes.jsonl']);
 * const model = await learn(await loadRouterModel(), outcomes);
 * if (!model.quality.evidence.significant) console.log('The best single expert is as good.');
 */
export async function learn(
  model: RouterModel,
  outcomes: Outcomes,
  { seed = 1, threads = availableParallelism(), experts = [], onStage }: LearningOptions = {},
): Promise<ModelWithQuality> {
  const pool = openPool(threads);
  try {
    return await learnModel(
      model,
      outcomes,
      { seed, described: experts, ...(onStage ? { onStage } : {}) },
      pool,
    );
  } finally {
    await pool.close();
  }
}

/**
 * Judges a router by outcomes: what its choices score, beside the best single expert, random choice, nearest neighbours
 * and oracles, with paired standard errors, calibration and stability.
 * @param model the one that the router decides with
 * @example
 * const router = await createRouter({ model, experts: outcomes.experts.map((id) => ({ id })) });
 * const { figures } = await evaluate(router, model, await readOutcomes(['held-out.jsonl']));
 */
export function evaluate(
  router: PromptRouter,
  { quality }: RouterModel,
  outcomes: Outcomes,
  options: Partial<JudgeOptions> = {},
): Promise<Judgement> {
  const best = quality?.experts[quality.best];
  const known = best !== undefined && outcomes.experts.includes(best) ? { bestSingle: best } : {};
  return judge(outcomes, deciderBy(router), { seed: 1, ...known, ...options });
}
