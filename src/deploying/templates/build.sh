#!/usr/bin/env bash
set -euo pipefail

# Runs in the container: builds the engine of MODEL, its tokenizer and the Triton models around it into OUT.
#@ Hands files that root made in the container to their owner, even after a failure.
trap 'chown -R "$OWNER" "$OUT"' EXIT
sources=/folder/sources/TensorRT-LLM-@tag@
work=$(mktemp -d)
cd "$work"
if [ ! -d "$MODEL" ]; then
  MODEL=$(python3 -c 'import sys; from huggingface_hub import snapshot_download as get; print(get(sys.argv[1]))' "$MODEL")
fi
mkdir -p "$OUT/tokenizer"
find -L "$MODEL" -maxdepth 1 -type f -size -64M -exec cp -t "$OUT/tokenizer" {} +

pip install --quiet --requirement "$sources/examples/quantization/requirements.txt"
python3 "$sources/examples/quantization/quantize.py" --model_dir "$MODEL" --output_dir "$work/checkpoint" \
  @quantise_flags@
trtllm-build --checkpoint_dir "$work/checkpoint" --output_dir "$OUT/engine" \
  @build_flags@

cp -R "$sources/triton_backend/all_models/inflight_batcher_llm" "$OUT/triton"
#@ Templates differ between versions; a variable left outside quotes would make the file invalid.
# fill MODEL KEY:VALUE...: sets the values that the model's config.pbtxt has a variable for
fill() {
  local file="$OUT/triton/$1/config.pbtxt" values=() pair
  for pair in "${@:2}"; do
    if grep -qF "\${${pair%%:*}}" "$file"; then values+=("$pair"); else echo "$1 has no ${pair%%:*} in this version."; fi
  done
  python3 "$sources/triton_backend/tools/fill_template.py" -i "$file" "$(IFS=,; echo "${values[*]}")"
  if grep -nE '^[^"]*[$][{]' "$file"; then echo "$file has variables without a value." >&2; exit 1; fi
}
@fills@
