#!/usr/bin/env bash
# Prepares the models that compose.yaml serves. It can be rerun at any time: finished models are kept.
# HF_TOKEN gives access to gated models; HF_HOME is the download cache (~/.cache/huggingface).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
image=@image@
cache=${HF_HOME:-$HOME/.cache/huggingface}

fail() { echo "prepare.sh: $*" >&2; exit 1; }
need() { command -v "$1" > /dev/null || fail "$1 is not installed, but this script needs it."; }
need docker
#@if sources
need git

#@ A sparse clone: a few megabytes of a repository that has gigabytes.
# sources REPOSITORY TAG FOLDER...: fetches these folders of one of NVIDIA's repositories at the tag
sources() {
  local to="sources/$1-$2"
  if [ -d "$to" ]; then return; fi
  rm -rf "$to.part"
  mkdir -p sources
  GIT_LFS_SKIP_SMUDGE=1 git clone --quiet --depth 1 --branch "$2" --filter=blob:none --sparse \
    "https://github.com/NVIDIA/$1.git" "$to.part"
  git -C "$to.part" sparse-checkout set "${@:3}"
  mv "$to.part" "$to"
}
#@end
#@if make

# make FOLDER GPUS MODEL SCRIPT: runs a container that prepares the folder of a model (a Hugging Face name or a folder)
make() {
  local to=$1 gpus=() model=(--env "MODEL=$3")
  if [ -d "$to" ]; then echo "$to exists already."; return; fi
  echo "Making $to from $3 ..."
  if [ "$2" != none ]; then gpus=(--gpus "$2"); fi
  if [ "${3:0:1}" = / ]; then model=(--env MODEL=/model --volume "$3:/model:ro"); fi
  rm -rf "$to.part"
  mkdir -p "$cache" "$to.part"
  docker run --rm "${gpus[@]}" --ipc host --ulimit memlock=-1 --ulimit stack=67108864 \
    --env HF_TOKEN "${model[@]}" --env "OUT=/folder/$to.part" --env "OWNER=$(id -u):$(id -g)" \
    --volume "$cache:/root/.cache/huggingface" --volume "$PWD:/folder" \
    "$image" bash "/folder/container/$4"
  [ -e "$to.part/@proof@" ] || fail "the container left no @product@ in $to.part; its output above says why."
  mv "$to.part" "$to"
}
#@end
#@if trtllm_sources

#@ The Triton models in NVIDIA's repository call the library in the image, so their versions must match.
# same_version IMAGE TAG: fails if the sources and the library in the image differ in version
same_version() {
  local found
  found=$(docker run --rm --entrypoint python3 "$1" -c \
    'from importlib.metadata import version; print(version("tensorrt_llm"))' | tail -n 1)
  [ "v$found" = "$2" ] || fail "$1 holds TensorRT-LLM $found: write this folder again with --trtllm-tag v$found."
}
#@if repository
# repository NAME: adds the files that turn our model.yaml into a Triton model repository
repository() {
  local from=sources/TensorRT-LLM-@tag@/triton_backend/all_models/llmapi/tensorrt_llm to="triton/$1/tensorrt_llm"
  cp "$from/config.pbtxt" "$to/"
  cp "$from"/1/*.py "$to/1/"
}
#@end
same_version @serve_image@ @tag@
#@end

#@if trtllm_sources
sources TensorRT-LLM @tag@ triton_backend examples/quantization
#@end
#@if optimizer_sources
sources Model-Optimizer @model_optimizer@ examples/hf_ptq
#@end
@steps@
echo "Everything is ready. Next: docker compose up --detach --wait"
