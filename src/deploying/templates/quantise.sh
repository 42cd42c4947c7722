#!/usr/bin/env bash
set -euo pipefail

# Runs in the container: quantises MODEL with Model-Optimizer into OUT, in the format that trtllm-serve, llmapi, vLLM and
# SGLang read. It prints a sample of text before and after quantising, for comparison.
#@ Hands files that root made in the container to their owner, even after a failure.
trap 'chown -R "$OWNER" "$OUT"' EXIT
cd /folder/sources/Model-Optimizer-@model_optimizer@/examples/hf_ptq
pip install --quiet "nvidia-modelopt[hf]==@model_optimizer@"
pip install --quiet --requirement requirements.txt
#@ The calibration set is named, because the default mix includes a gated one.
python3 hf_ptq.py --pyt_ckpt_path "$MODEL" --qformat @format@ --kv_cache_qformat @kv_format@ \
  --dataset cnn_dailymail --calib_size 512 --export_path "$OUT"
