#!/usr/bin/env bash
set -euo pipefail

# Runs in the container: downloads MODEL from Hugging Face into OUT.
#@ Hands files that root made in the container to their owner, even after a failure.
trap 'chown -R "$OWNER" "$OUT"' EXIT
python3 -c 'import os; from huggingface_hub import snapshot_download as get; get(os.environ["MODEL"], local_dir=os.environ["OUT"])'
