"""What AIConfigurator predicts for the closed-loop rows of evaluation/data/latency.csv: batch = users, lengths as asked.

    python3 -m venv .cache/aiconfigurator && .cache/aiconfigurator/bin/pip install -r evaluation/aiconfigurator/requirements.txt
    .cache/aiconfigurator/bin/python evaluation/aiconfigurator/predict.py .cache/aiconfigurator.csv
    npm run bench:simulator:beside

Answers are written as they come, each under a digest of the package's version and of what was asked: a run that was cut
goes on where it stopped. A question without an answer is kept too, with its reason.
"""

import copy
import csv
import functools
import hashlib
import importlib.metadata
import json
import logging
import pathlib
import sys

import yaml

# It parses its systems' descriptions anew for every estimate, which takes all but a hundredth of its time.
parsed = functools.cache(lambda text: yaml.load(text, yaml.CSafeLoader))
yaml.safe_load = lambda stream: copy.deepcopy(parsed(stream if isinstance(stream, str) else stream.read()))

from aiconfigurator.cli.api import cli_estimate  # noqa: E402

logging.disable(logging.CRITICAL)
VERSION = importlib.metadata.version("aiconfigurator")
MODELS = {
    "meta-llama/Llama-3.1-8B-Instruct": "meta-llama/Meta-Llama-3.1-8B",
    "meta-llama/Llama-3.1-70B": "meta-llama/Meta-Llama-3.1-70B",
}
WEIGHTS = {"FP8": "fp8", "FP4": "nvfp4", "not stated": "bfloat16"}
CACHE = {"FP8": "fp8", "FP4": "fp8", "not stated": "bfloat16"}
ENGINES = {"trtllm": "trtllm", "trtllm 1.0.0rc3": "trtllm", "vllm": "vllm"}
COLUMNS = ["id", "digest", "ttft_ms", "tpot_ms", "reason"]


def question(row):
    return {
        "model_path": MODELS[row["model"]],
        "system_name": row["gpu"],
        "backend_name": ENGINES[row["version"]],
        "isl": int(row["input_len"]),
        "osl": int(row["output_len"]),
        "batch_size": int(row["concurrency"]),
        "tp_size": int(row["tp"]),
        "gemm_quant_mode": WEIGHTS[row["precision"]],
        "kvcache_quant_mode": CACHE[row["precision"]],
    }


def answer(asked):
    try:
        found = cli_estimate(**asked)
    except Exception as error:  # It has no kernels for some, and says so in many ways.
        return ["", "", " ".join(str(error).split())]
    return [f"{found.ttft:.3f}", f"{found.tpot:.3f}", ""]


def digest_of(row):
    return hashlib.sha256(json.dumps([VERSION, row["id"], question(row)]).encode()).hexdigest()[:16]


with open("evaluation/data/latency.csv", encoding="utf-8") as file:
    asked = {digest_of(row): row for row in csv.DictReader(file) if row["version"] in ENGINES}
path = pathlib.Path(sys.argv[1])
kept = []
if path.exists():
    with path.open(encoding="utf-8") as file:
        # A line that the end of a run cut off lacks its last column.
        kept = [one for one in csv.DictReader(file) if one["digest"] in asked and one["reason"] is not None]
with path.open("w", encoding="utf-8") as file:
    out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    out.writeheader()
    out.writerows(kept)
    done = {one["digest"] for one in kept}
    for digest, row in asked.items():
        if digest in done:
            continue
        out.writerow(dict(zip(COLUMNS, [row["id"], digest, *answer(question(row))])))
        file.flush()
