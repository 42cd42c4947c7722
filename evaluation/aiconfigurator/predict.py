"""What AIConfigurator predicts for the closed-loop rows of evaluation/data/latency.csv: batch = users, lengths as asked.

    python3 -m venv .cache/aiconfigurator && .cache/aiconfigurator/bin/pip install -r evaluation/aiconfigurator/requirements.txt
    .cache/aiconfigurator/bin/python evaluation/aiconfigurator/predict.py > .cache/aiconfigurator.csv
    npm run bench:simulator:beside
"""

import csv
import logging
import sys

from aiconfigurator.cli.api import cli_estimate

logging.disable(logging.CRITICAL)
MODELS = {
    "meta-llama/Llama-3.1-8B-Instruct": "meta-llama/Meta-Llama-3.1-8B",
    "meta-llama/Llama-3.1-70B": "meta-llama/Meta-Llama-3.1-70B",
}
WEIGHTS = {"FP8": "fp8", "FP4": "nvfp4", "not stated": "bfloat16"}
CACHE = {"FP8": "fp8", "FP4": "fp8", "not stated": "bfloat16"}
ENGINES = {"trtllm": "trtllm", "trtllm 1.0.0rc3": "trtllm", "vllm": "vllm"}

rows = csv.DictReader(open("evaluation/data/latency.csv", encoding="utf-8"))
out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(["id", "ttft_ms", "tpot_ms"])
for row in rows:
    if row["version"] not in ENGINES:
        continue
    try:
        found = cli_estimate(
            MODELS[row["model"]],
            row["gpu"],
            backend_name=ENGINES[row["version"]],
            isl=int(row["input_len"]),
            osl=int(row["output_len"]),
            batch_size=int(row["concurrency"]),
            tp_size=int(row["tp"]),
            gemm_quant_mode=WEIGHTS[row["precision"]],
            kvcache_quant_mode=CACHE[row["precision"]],
        )
    except Exception as error:  # It has no kernels for some, and says so in many ways.
        print(f"{row['id']}: {error}", file=sys.stderr)
        continue
    out.writerow([row["id"], f"{found.ttft:.3f}", f"{found.tpot:.3f}"])
