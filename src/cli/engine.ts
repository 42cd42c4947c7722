/**
 * `expert-router engine`: writes a folder with everything needed to quantise models and serve them with TensorRT-LLM.
 */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { writeFolder } from '../core/files.ts';
import { engineFolder, PLAN_FILE } from '../deploying/folder.ts';
import {
  type EngineFormat,
  engineFormat,
  KV_CACHES,
  SERVE_MODES,
  type ServeMode,
} from '../deploying/format.ts';
import {
  DEFAULT_IMAGES,
  type EngineExpert,
  type EnginePlan,
  type Images,
  layOut,
  type ServedModel,
} from '../deploying/plan.ts';
import { engineSize } from '../deploying/size.ts';
import { planSummary } from '../deploying/summary.ts';
import { textTable } from '../report/text-table.ts';
import { expertId } from '../serving/config/expert-fields.ts';
import { deployment } from '../simulating/deployment.ts';
import { findGpu, GPU_NAMES } from '../simulating/hardware/gpu.ts';
import { folderNames, namedModel } from './engine/served-models.ts';
import { count } from './numbers.ts';
import { type LoadOptions, lengthsOf, limitsOf, withLengths, withLimits } from './plan/load-options.ts';
import { UsageError } from './usage-error.ts';

interface NamedExpert {
  readonly id: string;
  readonly model: string;
}

interface EngineOptions extends LoadOptions {
  readonly model?: string;
  readonly experts?: number;
  readonly expert?: readonly NamedExpert[];
  readonly gpu: string;
  readonly precision?: string;
  readonly kvCache?: (typeof KV_CACHES)[number];
  readonly quantized?: boolean;
  readonly tp: number;
  readonly gpus: number;
  readonly serve: ServeMode;
  readonly context?: number;
  readonly port?: number;
  readonly image?: string;
  readonly quantizeImage?: string;
  readonly trtllmTag?: string;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function engineCommand(): Command {
  const command = new Command('engine')
    .option('-m, --model <name>', 'Hugging Face repository or folder of the model that all experts serve')
    .option('--experts <n>', 'number of experts that serve it (default: as many as fit on the GPUs)', count)
    .option('--expert <id=model>', 'instead, an expert with its own model (repeatable)', namedExperts)
    .option('-g, --gpu <name>', GPU_NAMES.join(', '), 'h100')
    .option(
      '-p, --precision <name>',
      'fp8, fp4 (NVFP4), int4 (AWQ), bf16, fp16; int8 with legacy (default: fp8 where the GPU has it)',
    )
    .addOption(
      new Option(
        '--kv-cache <format>',
        'number format of the cache; determined by the precision when absent',
      ).choices(KV_CACHES),
    )
    .option('--quantized', 'the model is already quantised, such as nvidia/Llama-3.1-8B-Instruct-FP8')
    .option('--tp <degree>', 'GPUs per expert: 1, 2, 4 or 8', count, 1)
    .option('--gpus <n>', 'GPUs in the machine', count, 8)
    .addOption(
      new Option(
        '--serve <way>',
        "TensorRT-LLM's own server; Triton with llmapi; Triton with compiled engines",
      )
        .choices(SERVE_MODES)
        .default('trtllm-serve'),
    )
    .option(
      '--context <tokens>',
      "longest request (default: 8192, or the model's trained length if lower)",
      count,
    );
  withLimits(withLengths(command))
    .option(
      '--port <port>',
      'the first port (default: 8000; 8100 with Triton, which takes three each)',
      count,
    )
    .option(
      '--image <name>',
      `container image that serves (default: ${DEFAULT_IMAGES['trtllm-serve'].serve};
${DEFAULT_IMAGES.triton.serve} with Triton)`,
    )
    .option('--quantize-image <name>', `container image that quantises (default: as --image, or the first)`)
    .option(
      '--trtllm-tag <tag>',
      `with Triton: TensorRT-LLM's tag of the version in the image (default: ${DEFAULT_IMAGES.triton.tag})`,
    )
    .option('-o, --out <folder>', 'the folder to write', 'tensorrt-llm')
    .option('--force', 'overwrite a folder written by this command; checkpoints in it are kept')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router engine --model meta-llama/Llama-2-13b-chat-hf --gpu h100 --precision fp8
  $ expert-router engine --expert code=./Qwen2.5-Coder-7B-Instruct --expert general=Qwen/Qwen2.5-7B-Instruct --gpu l40s
  $ expert-router engine --model nvidia/Llama-3.1-8B-Instruct-FP8 --quantized --serve triton
  $ expert-router engine --model meta-llama/Llama-3.1-70B-Instruct --tp 2
  $ expert-router engine --model meta-llama/Llama-3.1-8B-Instruct --gpu a100 --precision bf16 --kv-cache fp8

docs/tensorrt-llm.md describes the next steps. Limits are those of "expert-router plan".`,
    )
    .action(engine);
  return command;
}

async function engine(options: EngineOptions): Promise<void> {
  const folder = resolve(options.out);
  requireFree(folder, options);
  const plan = await enginePlan(options);
  await writeFolder(folder, engineFolder(plan));
  console.log(
    options.json ? JSON.stringify({ folder, ...planSummary(plan) }, null, 2) : report(plan, folder),
  );
}

/** A folder that this command did not write is never replaced. */
function requireFree(folder: string, { out, force }: EngineOptions): void {
  if (!existsSync(folder)) return;
  if (!existsSync(join(folder, PLAN_FILE)))
    throw new UsageError(`--out: ${out} exists and was not written by this command; choose another folder.`);
  if (!force)
    throw new UsageError(`--out: ${out} exists; --force overwrites it and keeps the checkpoints in it.`);
}

async function enginePlan(options: EngineOptions): Promise<EnginePlan> {
  const { serve } = options;
  const gpu = findGpu(options.gpu);
  const format = engineFormat(gpu, serve, {
    precision: options.precision,
    kvCache: options.kvCache,
    quantized: options.quantized ?? false,
  });
  requireRoom(options);
  if (serve === 'legacy' && options.tp !== 1)
    throw new UsageError('--tp: compiled engines support only one GPU per expert; use --serve trtllm-serve.');
  const experts = expertsOf(options);
  const models = await servedModels([...new Set(experts.map(({ model }) => model))], options, format);
  const placed = layOut(
    experts.map(({ id, model }): Pick<EngineExpert, 'id' | 'model'> => ({ id, model: models.get(model)! })),
    { serve, tensorParallel: options.tp, gpus: options.gpus, firstPort: options.port },
  );
  const served = [...new Set(models.values())];
  return { serve, format, images: imagesOf(options), models: served, experts: placed };
}

function requireRoom({ gpus, tp }: EngineOptions): void {
  if (![1, 2, 4, 8].includes(tp)) throw new UsageError(`--tp: must be 1, 2, 4 or 8, is ${tp}.`);
  if (gpus < tp) throw new UsageError(`--gpus: an expert on ${tp} GPUs does not fit on ${gpus}.`);
}

function expertsOf({ model, experts, expert, gpus, tp }: EngineOptions): readonly NamedExpert[] {
  if (expert && (model !== undefined || experts !== undefined))
    throw new UsageError('--expert: names a model for each expert; leave out --model and --experts.');
  if (expert) return expert;
  if (model === undefined)
    throw new UsageError('--model: name the model, or one for each expert with --expert id=model.');
  if (experts === 0) throw new UsageError('--experts: must be at least 1.');
  return Array.from({ length: experts ?? Math.floor(gpus / tp) }, (_, i) => ({
    id: `expert-${i + 1}`,
    model,
  }));
}

/** By the name given; two names of the same folder are one model. */
async function servedModels(
  names: readonly string[],
  options: EngineOptions,
  format: EngineFormat,
): Promise<ReadonlyMap<string, ServedModel>> {
  const found = await Promise.all(names.map(namedModel));
  const bySource = new Map(found.map((model) => [model.source, model]));
  const limits = limitsOf(options);
  const { mean: lengths } = lengthsOf(options);
  const sized = [...bySource.values()].map(({ source, local, shape }) => {
    const d = deployment({
      model: shape,
      gpu: options.gpu,
      precision: format.precision.name,
      tensorParallel: options.tp,
    });
    const size = engineSize({ ...d, precision: format.precision }, limits, lengths, options.context);
    return { source, local, size };
  });
  const folders = folderNames([...bySource.keys()], formatSuffix(format));
  const served = sized.map((model, i) => ({ ...model, name: nameOf(folders[i]!, model, options) }));
  return new Map(names.map((name, i) => [name, served.find(({ source }) => source === found[i]!.source)!]));
}

function formatSuffix({ precision, kvCache }: EngineFormat): string {
  const own = precision.kvBytes === 1 ? kvCache : '16bit';
  const usual = {
    fp16: '16bit',
    bf16: '16bit',
    int4: '16bit',
    mxfp4: '16bit',
    fp8: 'fp8',
    fp4: 'fp8',
    int8: 'int8',
  }[precision.name];
  return own === usual ? precision.name : `${precision.name}-kv-${own}`;
}

/** A compiled engine has its limits and its GPU built in, so they belong to its name. */
function nameOf(folder: string, { size }: Pick<ServedModel, 'size'>, { serve }: EngineOptions): string {
  if (serve !== 'legacy') return folder;
  return `${folder}-${size.deployment.gpu.name}-b${size.maxBatch}-t${size.maxTokens}-s${size.maxSequence}`;
}

function imagesOf({ serve, image, quantizeImage, trtllmTag }: EngineOptions): Images {
  const usual = DEFAULT_IMAGES[serve];
  // Triton's image cannot quantise for llmapi; otherwise one image does everything.
  const quantise = quantizeImage ?? (serve === 'triton' ? undefined : image) ?? usual.quantise;
  return { serve: image ?? usual.serve, quantise, tag: trtllmTag ?? usual.tag };
}

/** `id=model`, repeatable. */
function namedExperts(text: string, before: readonly NamedExpert[] = []): readonly NamedExpert[] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError('expected <id>=<model>, such as code=Qwen/Qwen2.5-Coder-7B-Instruct.');
  const id = text.slice(0, at);
  const checked = expertId.safeParse(id);
  if (!checked.success) throw new InvalidArgumentError(`"${id}": ${checked.error.issues[0]!.message}.`);
  if (before.some((other) => other.id === id))
    throw new InvalidArgumentError(`two experts are called "${id}".`);
  return [...before, { id, model: text.slice(at + 1) }];
}

function report(plan: EnginePlan, folder: string): string {
  const within = relative('.', folder);
  const here = within.startsWith('..') ? folder : within || '.';
  const models = textTable([
    ['model', 'weights', 'cache', 'tokens in it', 'batch', 'longest request'],
    ...plan.models.map(({ name, size }) => [
      name,
      `${size.figures.weights_gb} GB`,
      `${size.figures.kv_cache_gb} GB`,
      size.figures.max_tokens_in_kv.toLocaleString('en-US'),
      `${size.maxBatch}`,
      `${size.maxSequence}`,
    ]),
  ]);
  const experts = textTable([
    ['expert', 'model', 'GPU', 'ports'],
    ...plan.experts.map(({ id, model, gpus, ports }) => [
      id,
      model.name,
      gpus.join(','),
      Object.values(ports).join(', '),
    ]),
  ]);
  return `Wrote ${here}. Nothing has been run on a GPU yet.

${models}

${experts}

Next, on the machine with the GPUs:
  ${here}/prepare.sh
  docker compose --file ${here}/compose.yaml up --detach --wait
  expert-router serve --config ${here}/router.yaml`;
}
