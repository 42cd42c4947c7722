"""A model for a real Triton server that has its text from a server with OpenAI's API: the tensors of dialect A on one
side, $RELAY_URL on the other. So the same weights answer by way of Triton as without it."""
import json
import os
import threading
import urllib.request

from scripted import pb, text_tensor, value

OPENAI = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "repetition_penalty": "repetition_penalty",
    "max_tokens": "max_tokens",
}


class Relaying:
    def execute(self, requests):
        for request in requests:
            threading.Thread(target=self.answer, args=(request,), daemon=True).start()
        return None

    def answer(self, request):
        sender = request.get_response_sender()
        sampling = {theirs: value(request, ours) for ours, theirs in OPENAI.items()}
        body = {
            "messages": [{"role": "user", "content": value(request, "text_input")}],
            "stream": True,
            **{name: given for name, given in sampling.items() if given is not None},
        }
        asked = urllib.request.Request(
            os.environ["RELAY_URL"] + "/v1/chat/completions",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(asked) as events:
            for line in events:
                if not line.startswith(b"data: {"):
                    continue
                for choice in json.loads(line[len(b"data: ") :])["choices"]:
                    piece = choice["delta"].get("content")
                    if piece:
                        sender.send(pb.InferenceResponse([text_tensor("text_output", piece.encode())]))
        sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
