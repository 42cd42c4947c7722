"""NVIDIA's llmapi model as far as Triton sees it: its Triton settings come from model.yaml while the config is being
completed, as theirs do; what it says is scripted."""
import os
import re

from scripted import LlmApi  # first: it says where further modules are found
import triton_python_backend_utils as pb


class TritonPythonModel(LlmApi):
    @classmethod
    def auto_complete_config(cls, config):
        with open(os.path.join(pb.get_model_dir(), "model.yaml")) as file:
            settings = file.read().split("triton_config:")[1]
        config.set_model_transaction_policy({"decoupled": re.search(r"decoupled: (\w+)", settings)[1] == "true"})
        config.set_max_batch_size(int(re.search(r"max_batch_size: (\d+)", settings)[1]))
        return config
