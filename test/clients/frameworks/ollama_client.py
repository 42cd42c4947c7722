"""Ollama's Python client against a router: prints a line for each thing that worked."""
import json
import sys
from importlib.metadata import version

import ollama

client = ollama.Client(host=sys.argv[1])
CALL = 'call get_weather {"city": "Zürich 🏔"}'


def done(what):
    print(json.dumps({"version": version("ollama"), "what": what}), flush=True)


def get_weather(city: str) -> str:
    """The weather somewhere.

    Args:
        city: where
    """
    return f"sun in {city}"


messages = [{"role": "user", "content": "Hi"}]
said = client.chat("emulated", messages).message.content
assert "emulated answer" in said, said
assert "".join(part.message.content for part in client.chat("emulated", messages, stream=True)) == said
assert client.generate("emulated", "Hi").response == "".join(
    part.response for part in client.generate("emulated", "Hi", stream=True)
)
done("chats and prompts, whole and streamed")

asked = [{"role": "user", "content": CALL}]
answer = client.chat("emulated", asked, tools=[get_weather])
call = answer.message.tool_calls[0]
assert call.function.arguments == {"city": "Zürich 🏔"}, call
result = {"role": "tool", "tool_name": "get_weather", "content": get_weather(**call.function.arguments)}
last = client.chat("emulated", [*asked, answer.message, result], tools=[get_weather])
assert "reads: sun in Zürich" in last.message.content, last
schema = {"type": "object", "properties": {"done": {"type": "boolean"}}, "required": ["done"]}
assert json.loads(client.chat("emulated", messages, format=schema).message.content) == {"done": True}
done("a tool loop, an answer by a schema")

assert client.generate("emulated", "", keep_alive="5m").done_reason == "load"
assert client.generate("emulated", keep_alive=0).done_reason == "unload"
assert client.chat("emulated").done_reason == "load"
done("loading and unloading")

one, two = client.embed("emulated", ["one", "two"]).embeddings
assert one == client.embeddings("emulated", "one").embedding and one != two
assert "emulated:latest" in [model.model for model in client.list().models]
assert "completion" in client.show("emulated").capabilities
assert client.ps().models[0].model == "emulated:latest"
try:
    client.chat("nobody", messages)
    raise AssertionError("a model that is not there answered")
except ollama.ResponseError as error:
    assert error.status_code == 404 and "nobody" in error.error, error
done("vectors, lists of models, errors")
