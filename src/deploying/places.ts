/** Where things lie: in the folder that is written, and in the containers that mount it. */
import type { EnginePlan, ServedModel } from './plan.ts';

/** A checkpoint inside a serving container; its last part is the name trtllm-serve announces. */
export const checkpointInside = (model: ServedModel): string => `/checkpoints/${model.name}`;

/** What `container/build.sh` makes of a model for the legacy way, inside a serving container. */
export const BUILT_INSIDE = '/built';

/** Whether a model is served from the folder its owner keeps it in, so that nothing is to be prepared. */
export function servedInPlace(plan: EnginePlan, model: ServedModel): boolean {
  return model.local && plan.serve !== 'legacy' && plan.format.quantise === null;
}

/** What a serving container mounts as the model: a path of the host, relative to the folder or absolute. */
export function modelOnHost(plan: EnginePlan, model: ServedModel): string {
  if (servedInPlace(plan, model)) return model.source;
  return `./${plan.serve === 'legacy' ? 'built' : 'checkpoints'}/${model.name}`;
}

/** Where the host keeps the tokenizer and its chat template, for the router: from the folder, as its config means it. */
export function tokenizerOnHost(plan: EnginePlan, model: ServedModel): string {
  const folder = modelOnHost(plan, model);
  return plan.serve === 'legacy' ? `${folder}/tokenizer` : folder;
}
