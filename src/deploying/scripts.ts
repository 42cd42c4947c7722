/**
 * The scripts of the folder: `prepare.sh` for the host, and what it has a container do with each model.
 * They can be run again at any time: what is finished stays, what was cut off is done anew.
 */
import { countParameters } from '../simulating/model/shape.ts';
import { buildFlags, quantiseFlags, templateValues } from './legacy.ts';
import { modelOnHost, servedInPlace } from './places.ts';
import type { EnginePlan, ServedModel } from './plan.ts';

/** Of NVIDIA's Model-Optimizer: its release, which is its repository's tag too. */
export const MODEL_OPTIMIZER = '0.46.0';

const BASH = ['#!/usr/bin/env bash', 'set -euo pipefail', ''];

/** Path → text. All of them are to be executable. */
export function scripts(plan: EnginePlan): Readonly<Record<string, string>> {
  const files: Record<string, readonly string[]> = { 'prepare.sh': prepare(plan) };
  if (plan.serve === 'legacy')
    for (const model of plan.models) files[`container/build-${model.name}.sh`] = build(plan, model);
  else if (plan.format.quantise !== null) files['container/quantise.sh'] = quantise(plan);
  else files['container/download.sh'] = download();
  return Object.fromEntries(Object.entries(files).map(([path, lines]) => [path, `${lines.join('\n')}\n`]));
}

function prepare(plan: EnginePlan): readonly string[] {
  const { serve, images } = plan;
  const needsSources = serve !== 'trtllm-serve' || plan.format.quantise !== null;
  return [
    '#!/usr/bin/env bash',
    '# Makes what compose.yaml serves. It can be run again at any time: what is finished stays.',
    '# HF_TOKEN opens gated models; HF_HOME is where downloads are kept (~/.cache/huggingface).',
    'set -euo pipefail',
    'cd "$(dirname "${BASH_SOURCE[0]}")"',
    `image=${quoted(images.quantise)}`,
    'cache=${HF_HOME:-$HOME/.cache/huggingface}',
    '',
    ...NEEDS,
    'need docker',
    ...(needsSources ? ['need git', '', ...SOURCES] : []),
    ...(plan.models.every((model) => servedInPlace(plan, model)) ? [] : ['', ...makeFunction(plan)]),
    ...(serve === 'triton' ? ['', ...repositoryFunction(images.serve, images.tag)] : []),
    ...(serve === 'legacy'
      ? ['', ...VERSION, `same_version ${quoted(images.serve)} ${quoted(images.tag)}`]
      : []),
    '',
    ...(needsSources && serve !== 'trtllm-serve'
      ? [`sources TensorRT-LLM ${quoted(images.tag)} triton_backend examples/quantization`]
      : []),
    ...(serve !== 'legacy' && plan.format.quantise !== null
      ? [`sources Model-Optimizer ${MODEL_OPTIMIZER} examples/hf_ptq`]
      : []),
    ...plan.models.flatMap((model) => steps(plan, model)),
    'echo "Everything is there. Next: docker compose up --detach --wait"',
  ];
}

function steps(plan: EnginePlan, model: ServedModel): readonly string[] {
  const make = servedInPlace(plan, model)
    ? []
    : [
        `make ${quoted(modelOnHost(plan, model))} ${gpusToPrepare(plan, model)} ${quoted(model.source)} ${script(plan, model)}`,
      ];
  return plan.serve === 'triton' ? [...make, `repository ${quoted(model.name)}`] : make;
}

function script(plan: EnginePlan, model: ServedModel): string {
  if (plan.serve === 'legacy') return `build-${model.name}.sh`;
  return plan.format.quantise === null ? 'download.sh' : 'quantise.sh';
}

/** Calibration runs the 16-bit model: on one GPU where that fills at most 70 % of it, else over all. */
function gpusToPrepare(plan: EnginePlan, { size }: ServedModel): string {
  if (plan.serve !== 'legacy' && plan.format.quantise === null) return 'none';
  const { model, gpu } = size.deployment;
  return 2 * countParameters(model).total <= 0.7 * gpu.memoryBytes ? 'device=0' : 'all';
}

const NEEDS = [
  'fail() { echo "prepare.sh: $*" >&2; exit 1; }',
  'need() { command -v "$1" > /dev/null || fail "$1 is not installed, and this needs it."; }',
];

/** A sparse clone: a few megabytes of a repository that has gigabytes. */
const SOURCES = [
  "# sources REPOSITORY TAG FOLDER...: these folders of one of NVIDIA's repositories, as they were at the tag",
  'sources() {',
  '  local to="sources/$1-$2"',
  '  if [ -d "$to" ]; then return; fi',
  '  rm -rf "$to.part"',
  '  mkdir -p sources',
  '  GIT_LFS_SKIP_SMUDGE=1 git clone --quiet --depth 1 --branch "$2" --filter=blob:none --sparse \\',
  '    "https://github.com/NVIDIA/$1.git" "$to.part"',
  '  git -C "$to.part" sparse-checkout set "${@:3}"',
  '  mv "$to.part" "$to"',
  '}',
];

function makeFunction(plan: EnginePlan): readonly string[] {
  return [
    '# make FOLDER GPUS MODEL SCRIPT: has a container make the folder of a model, which is a Hugging Face name or a folder',
    'make() {',
    '  local to=$1 gpus=() model=(--env "MODEL=$3")',
    '  if [ -d "$to" ]; then echo "$to is there."; return; fi',
    '  echo "Making $to from $3 ..."',
    '  if [ "$2" != none ]; then gpus=(--gpus "$2"); fi',
    '  if [ "${3:0:1}" = / ]; then model=(--env MODEL=/model --volume "$3:/model:ro"); fi',
    '  rm -rf "$to.part"',
    '  mkdir -p "$cache" "$to.part"',
    '  docker run --rm "${gpus[@]}" --ipc host --ulimit memlock=-1 --ulimit stack=67108864 \\',
    '    --env HF_TOKEN "${model[@]}" --env "OUT=/folder/$to.part" --env "OWNER=$(id -u):$(id -g)" \\',
    '    --volume "$cache:/root/.cache/huggingface" --volume "$PWD:/folder" \\',
    '    "$image" bash "/folder/container/$4"',
    plan.serve === 'legacy'
      ? '  [ -e "$to.part/engine/config.json" ] || fail "the container made no engine in $to.part."'
      : '  [ -e "$to.part/config.json" ] || fail "the container made no checkpoint in $to.part."',
    '  mv "$to.part" "$to"',
    '}',
  ];
}

/** The Triton models in NVIDIA's repository call the library in the image, so both must be of one version. */
const VERSION = [
  '# same_version IMAGE TAG: stops where the sources are of another version than the library in the image',
  'same_version() {',
  '  local found',
  '  found=$(docker run --rm --entrypoint python3 "$1" -c \\',
  '    \'from importlib.metadata import version; print(version("tensorrt_llm"))\' | tail -n 1)',
  '  [ "v$found" = "$2" ] || fail "$1 holds TensorRT-LLM $found: write this folder anew with --trtllm-tag v$found."',
  '}',
];

function repositoryFunction(image: string, tag: string): readonly string[] {
  const from = `sources/TensorRT-LLM-${tag}/triton_backend/all_models/llmapi/tensorrt_llm`;
  return [
    ...VERSION,
    '# repository NAME: puts beside our model.yaml what makes it a Triton model repository',
    'repository() {',
    `  local from=${quoted(from)} to="triton/$1/tensorrt_llm"`,
    '  cp "$from/config.pbtxt" "$to/"',
    '  cp "$from"/1/*.py "$to/1/"',
    '}',
    `same_version ${quoted(image)} ${quoted(tag)}`,
  ];
}

/** The owner gets what root made in the container, also after a failure. */
const GIVE_BACK = 'trap \'chown -R "$OWNER" "$OUT"\' EXIT';

function quantise(plan: EnginePlan): readonly string[] {
  const kv = plan.format.kvCache === 'fp8' ? 'fp8' : 'none';
  return [
    ...BASH,
    '# In the container: MODEL quantised by Model-Optimizer into OUT, in the form that trtllm-serve, llmapi, vLLM and SGLang',
    '# read. It prints a sample of text before and after: compare them.',
    GIVE_BACK,
    `cd /folder/sources/Model-Optimizer-${MODEL_OPTIMIZER}/examples/hf_ptq`,
    `pip install --quiet "nvidia-modelopt[hf]==${MODEL_OPTIMIZER}"`,
    'pip install --quiet --requirement requirements.txt',
    `python3 hf_ptq.py --pyt_ckpt_path "$MODEL" --qformat ${plan.format.quantise} --kv_cache_qformat ${kv} \\`,
    // Named, since the default mix includes a gated set.
    '  --dataset cnn_dailymail --calib_size 512 --export_path "$OUT"',
  ];
}

function download(): readonly string[] {
  return [
    ...BASH,
    '# In the container: MODEL from Hugging Face into OUT, as it is.',
    GIVE_BACK,
    'python3 -c \'import os; from huggingface_hub import snapshot_download as get; get(os.environ["MODEL"], local_dir=os.environ["OUT"])\'',
  ];
}

/** Versions differ in what their templates have; a place that stays open outside quotes makes the file invalid. */
const FILL = [
  "# fill MODEL KEY:VALUE...: what the template of the model's config.pbtxt has a place for",
  'fill() {',
  '  local file="$OUT/triton/$1/config.pbtxt" values=() pair',
  '  for pair in "${@:2}"; do',
  '    if grep -qF "\\${${pair%%:*}}" "$file"; then values+=("$pair"); else echo "$1 has no ${pair%%:*} in this version."; fi',
  '  done',
  '  python3 "$sources/triton_backend/tools/fill_template.py" -i "$file" "$(IFS=,; echo "${values[*]}")"',
  '  if grep -nE \'^[^"]*[$][{]\' "$file"; then echo "$file has places that nothing here fills." >&2; exit 1; fi',
  '}',
];

function build(plan: EnginePlan, { size }: ServedModel): readonly string[] {
  const sources = `/folder/sources/TensorRT-LLM-${plan.images.tag}`;
  return [
    ...BASH,
    '# In the container: a compiled engine of MODEL, its tokenizer and the Triton models around it, into OUT.',
    GIVE_BACK,
    `sources=${quoted(sources)}`,
    'work=$(mktemp -d)',
    'cd "$work"',
    'if [ ! -d "$MODEL" ]; then',
    '  MODEL=$(python3 -c \'import sys; from huggingface_hub import snapshot_download as get; print(get(sys.argv[1]))\' "$MODEL")',
    'fi',
    'mkdir -p "$OUT/tokenizer"',
    'find -L "$MODEL" -maxdepth 1 -type f -size -64M -exec cp -t "$OUT/tokenizer" {} +',
    '',
    'pip install --quiet --requirement "$sources/examples/quantization/requirements.txt"',
    `python3 "$sources/examples/quantization/quantize.py" --model_dir "$MODEL" --output_dir "$work/checkpoint" \\`,
    `  ${quantiseFlags(plan.format).join(' ')}`,
    `trtllm-build --checkpoint_dir "$work/checkpoint" --output_dir "$OUT/engine" \\`,
    `  ${buildFlags(size, plan.format).join(' ')}`,
    '',
    'cp -R "$sources/triton_backend/all_models/inflight_batcher_llm" "$OUT/triton"',
    ...FILL,
    ...Object.entries(templateValues(size, plan.format)).map(
      ([model, values]) =>
        `fill ${model} ${Object.entries(values)
          .map(([key, value]) => `${key}:${value}`)
          .join(' ')}`,
    ),
  ];
}

/** A word for bash, whatever is in it. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
