#!/usr/bin/env bash
set -euo pipefail

# In the container: MODEL from Hugging Face into OUT, as it is.
#@ The owner gets what root made in the container, also after a failure.
trap 'chown -R "$OWNER" "$OUT"' EXIT
python3 -c 'import os; from huggingface_hub import snapshot_download as get; get(os.environ["MODEL"], local_dir=os.environ["OUT"])'
