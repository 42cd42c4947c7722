/**
 * The scripts of the folder: `prepare.sh` for the host, and the scripts it runs in a container for each model. They can
 * be rerun at any time: finished steps are kept, interrupted ones start over.
 */
import { countParameters } from '../simulating/model/shape.ts';
import { buildFlags, quantiseFlags, templateValues } from './legacy.ts';
import { type EnginePlan, modelOnHost, type ServedModel, servedInPlace } from './plan.ts';
import { filled } from './template.ts';

/** Release of NVIDIA's Model-Optimizer, which is also its repository's tag. */
export const MODEL_OPTIMIZER = '0.46.0';

/** Path → text. All of them must be executable. */
export function scripts(plan: EnginePlan): Readonly<Record<string, string>> {
  const files: Record<string, string> = { 'prepare.sh': prepare(plan) };
  if (plan.serve === 'legacy')
    for (const model of plan.models) files[`container/build-${model.name}.sh`] = build(plan, model);
  else if (plan.format.quantise !== null)
    files['container/quantise.sh'] = filled('quantise.sh', {
      model_optimizer: MODEL_OPTIMIZER,
      format: plan.format.quantise,
      kv_format: plan.format.kvCache === 'fp8' ? 'fp8' : 'none',
    });
  else files['container/download.sh'] = filled('download.sh', {});
  return files;
}

function prepare(plan: EnginePlan): string {
  const { serve, images, format, models } = plan;
  const legacy = serve === 'legacy';
  const trtllmSources = serve !== 'trtllm-serve';
  const optimizerSources = !legacy && format.quantise !== null;
  return filled('prepare.sh', {
    image: images.quantise,
    serve_image: images.serve,
    tag: images.tag,
    model_optimizer: MODEL_OPTIMIZER,
    sources: trtllmSources || optimizerSources,
    trtllm_sources: trtllmSources,
    optimizer_sources: optimizerSources,
    repository: serve === 'triton',
    make: models.some((model) => !servedInPlace(plan, model)),
    proof: legacy ? 'engine/config.json' : 'config.json',
    product: legacy ? 'engine' : 'checkpoint',
    steps: models.flatMap((model) => steps(plan, model)),
  });
}

function steps(plan: EnginePlan, model: ServedModel): readonly (readonly string[])[] {
  const make = servedInPlace(plan, model)
    ? []
    : [['make', modelOnHost(plan, model), gpusToPrepare(plan, model), model.source, scriptOf(plan, model)]];
  return plan.serve === 'triton' ? [...make, ['repository', model.name]] : make;
}

function scriptOf(plan: EnginePlan, model: ServedModel): string {
  if (plan.serve === 'legacy') return `build-${model.name}.sh`;
  return plan.format.quantise === null ? 'download.sh' : 'quantise.sh';
}

/** Calibration runs the 16-bit model: on one GPU if that fills at most 70 % of its memory, else on all. */
function gpusToPrepare(plan: EnginePlan, { size }: ServedModel): string {
  if (plan.serve !== 'legacy' && plan.format.quantise === null) return 'none';
  const { model, gpu } = size.deployment;
  return 2 * countParameters(model).total <= 0.7 * gpu.memoryBytes ? 'device=0' : 'all';
}

function build(plan: EnginePlan, { size }: ServedModel): string {
  return filled('build.sh', {
    tag: plan.images.tag,
    quantise_flags: quantiseFlags(plan.format),
    build_flags: buildFlags(size, plan.format),
    fills: Object.entries(templateValues(size, plan.format)).map(([model, values]) => [
      'fill',
      model,
      ...Object.entries(values).map(([key, value]) => `${key}:${value}`),
    ]),
  });
}
