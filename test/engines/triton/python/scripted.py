"""Models for a real Triton server that speak the tensors of the four dialects and say a text that is known.

What they do besides answering is asked for in the prompt, by words such as `#pause=20`:
  #pause=MS     so long between two tokens (1 by default)
  #fail=N       an error instead of token N
  #text=NAME    which of BYTES is said
  #echo         the prompt is repeated before the answer, whatever was asked for
Every running request has a file in $SCRIPTED_STATE; one that saw its cancellation leaves `cancelled-…` there.
"""
import json
import os
import re
import sys
import threading
import time
import uuid

sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)

import numpy as np  # noqa: E402  (found only after the line above)
import triton_python_backend_utils as pb  # noqa: E402

STATE = os.environ["SCRIPTED_STATE"]

TEXTS = {
    "count": "One, two, three 🙂, four, fünf, six, seven – eight, nine, ten, eleven, zwölf, 十三, fourteen, "
    "fifteen, sixteen, seventeen, eighteen, nineteen, twenty.",
    "grow": "a aa aaa aaaa aaaaa",
}
BYTES = {name: text.encode() for name, text in TEXTS.items()} | {"half": "cut off: 🙂".encode()[:-2]}
TOKEN_BYTES = 4


class Asked:
    """One request, whatever its dialect calls things."""

    def __init__(self, prompt, max_tokens, stream, exclude=True):
        self.prompt = prompt
        self.max_tokens = max_tokens
        self.stream = stream
        self.exclude = exclude and "#echo" not in prompt
        self.pause = float(self.option("pause", "1")) / 1000
        self.fail = int(self.option("fail", "-1"))

    def option(self, name, otherwise):
        found = re.search(rf"#{name}=(\w+)", self.prompt)
        return found.group(1) if found else otherwise

    def tokens(self, width=TOKEN_BYTES):
        """The answer's bytes, cut without regard to characters."""
        text = BYTES[self.option("text", "count")]
        every = [text[at : at + width] for at in range(0, len(text), width)]
        return every[: self.max_tokens], len(every) > self.max_tokens


class Scripted:
    """What the four models have in common; `read` and `response` are theirs."""

    def initialize(self, args):
        time.sleep(float(os.environ.get("SCRIPTED_LOAD_SECONDS", "0")))

    def execute(self, requests):
        for request in requests:
            threading.Thread(target=self.run, args=(request,), daemon=True).start()
        return None

    def run(self, request):
        sender = request.get_response_sender()
        running = os.path.join(STATE, f"running-{uuid.uuid4().hex}")
        open(running, "w").close()
        try:
            self.answer(request, sender)
        except Exception as error:  # the client is to see it, as with the real models
            sender.send(
                pb.InferenceResponse([], error=pb.TritonError(f"Error generating request: {error}")),
                flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL,
            )
        finally:
            os.remove(running)

    def answer(self, request, sender):
        asked = self.read(request)
        tokens, cut = asked.tokens(self.token_bytes)
        said = []
        for index, token in enumerate(tokens):
            if sender.is_cancelled():
                open(os.path.join(STATE, f"cancelled-{uuid.uuid4().hex}"), "w").close()
                break
            if index == asked.fail:
                raise RuntimeError("the script says so")
            said.append(token)
            if asked.stream:
                reason = ("length" if cut else "stop") if index == len(tokens) - 1 else "None"
                sender.send(pb.InferenceResponse(self.response(asked, said, [token], index == 0, reason)))
            time.sleep(asked.pause)
        if not asked.stream:
            reason = "length" if cut else "stop"
            sender.send(pb.InferenceResponse(self.response(asked, said, said, True, reason)))
        sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


def value(request, name, otherwise=None):
    tensor = pb.get_input_tensor_by_name(request, name)
    if tensor is None:
        return otherwise
    first = tensor.as_numpy().reshape(-1)[0]
    return first.decode() if isinstance(first, bytes) else first.item() if hasattr(first, "item") else first


def text_tensor(name, content):
    return pb.Tensor(name, np.array([content], dtype=np.object_))


def int_tensor(name, content, dtype=np.int32):
    return pb.Tensor(name, np.array([[content]], dtype=dtype))


class Ensemble(Scripted):
    """Dialect A: bytes of each token as they are, counts per response."""

    token_bytes = TOKEN_BYTES

    def read(self, request):
        exclude = bool(value(request, "exclude_input_in_output", False))
        return Asked(value(request, "text_input"), value(request, "max_tokens"), value(request, "stream", False), exclude)

    def response(self, asked, said, fresh, first, reason):
        echo = asked.prompt.encode() if first and not asked.exclude else b""
        return [
            text_tensor("text_output", echo + b"".join(fresh)),
            int_tensor("num_input_tokens", len(asked.prompt.split())),
            int_tensor("num_output_tokens", len(fresh)),
        ]


class Core(Scripted):
    """Dialect B: ids are bytes."""

    token_bytes = 1

    def read(self, request):
        ids = pb.get_input_tensor_by_name(request, "input_ids").as_numpy().reshape(-1)
        if len(ids) != value(request, "input_lengths"):
            raise ValueError("input_lengths does not fit input_ids")
        prompt = bytes(int(one) for one in ids if one < 256).decode()
        return Asked(prompt, value(request, "request_output_len"), value(request, "streaming", False))

    def response(self, asked, said, fresh, first, reason):
        ids = [token[0] for token in fresh]
        return [
            pb.Tensor("output_ids", np.array([[ids]], dtype=np.int32)),
            pb.Tensor("sequence_length", np.array([[len(ids)]], dtype=np.int32)),
        ]


class LlmApi(Scripted):
    """Dialect C: each response repeats the text so far, decoded, with replacement characters for what is not whole."""

    token_bytes = TOKEN_BYTES

    def read(self, request):
        prompt, stream = value(request, "text_input"), value(request, "streaming", False)
        exclude = value(request, "sampling_param_exclude_input_from_output", False)
        return Asked(prompt, value(request, "sampling_param_max_tokens", 32), stream, bool(exclude))

    def response(self, asked, said, fresh, first, reason):
        echo = "" if asked.exclude else asked.prompt
        return [
            text_tensor("text_output", (echo + b"".join(said).decode(errors="replace")).encode()),
            text_tensor("finish_reason", reason.encode()),
        ]


class Vllm(Scripted):
    """Dialect D: whole characters only, the sampling parameters in JSON."""

    token_bytes = TOKEN_BYTES

    def read(self, request):
        sampling = json.loads(value(request, "sampling_parameters", "{}"))
        exclude = bool(value(request, "exclude_input_in_output", False))
        return Asked(value(request, "text_input"), sampling.get("max_tokens", 16), value(request, "stream", False), exclude)

    def response(self, asked, said, fresh, first, reason):
        echo = asked.prompt if first and not asked.exclude else ""
        whole = b"".join(said).decode(errors="ignore")
        before = b"".join(said[: len(said) - len(fresh)]).decode(errors="ignore")
        return [
            text_tensor("text_output", (echo + whole[len(before) :]).encode()),
            text_tensor("finish_reason", reason.encode()),
            pb.Tensor("num_input_tokens", np.array([len(asked.prompt.split())], dtype=np.uint32)),
            pb.Tensor("num_output_tokens", np.array([len(fresh)], dtype=np.uint32)),
        ]
