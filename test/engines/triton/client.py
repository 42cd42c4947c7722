"""What NVIDIA's own client sees at an address: the model `ensemble` described, an answer streamed, the index."""
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

client = grpc.InferenceServerClient(sys.argv[1].removeprefix("grpc://"))
results = queue.Queue()


def tensor(name, content, dtype):
    array = np.array([[content]], dtype=dtype)
    given = grpc.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    given.set_data_from_numpy(array)
    return given


def stream():
    client.start_stream(callback=lambda result, error: results.put((result, error)))
    inputs = [
        tensor("text_input", b"Count.", np.object_),
        tensor("max_tokens", 100, np.int32),
        tensor("stream", True, np.bool_),
        tensor("exclude_input_in_output", True, np.bool_),
    ]
    client.async_stream_infer("ensemble", inputs, enable_empty_final_response=True)
    text, counts, finals = b"", [], []
    while True:
        result, error = results.get(timeout=30)
        if error:
            raise error
        said, count = result.as_numpy("text_output"), result.as_numpy("num_output_tokens")
        text += b"" if said is None else said.reshape(-1)[0]
        counts += [] if count is None else [int(count.reshape(-1)[0])]
        final = result.get_response().parameters["triton_final_response"].bool_param
        finals.append(final)
        if final:
            client.stop_stream()
            return {"text": text.decode(), "counts": counts, "finals": finals}


def refusal(ask):
    try:
        ask()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


metadata = client.get_model_metadata("ensemble", as_json=True)
config = client.get_model_config("ensemble", as_json=True)["config"]
report = {
    "ready": [client.is_server_live(), client.is_server_ready(), client.is_model_ready("ensemble")],
    "metadata": {kind: sorted(metadata[kind], key=lambda one: one["name"]) for kind in ("inputs", "outputs")},
    "config": config["model_transaction_policy"],
    "unknown": refusal(lambda: client.get_model_metadata("nothing")),
    "index": [one for one in client.get_model_repository_index(as_json=True)["models"] if one["name"] == "ensemble"],
    **stream(),
}
print(json.dumps(report))
