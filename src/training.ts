/** To train a router model and to judge it. */
import { writeFileAtomically } from './core/files.ts';
import { writeRouterModel } from './deciding/model/artefact.ts';
import type { RouterModel } from './deciding/model/router-model.ts';

export { UserError } from './core/errors.ts';
export { adjustedRandIndex, normalisedMutualInformation, purity } from './deciding/clustering/quality.ts';
export type { RouterModel } from './deciding/model/router-model.ts';
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
