"""Anthropic's Python client against a router: prints a line for each thing that worked."""
import json
import sys

import anthropic

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0)
TOOL = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALL = 'call get_weather {"city": "Zürich 🏔"}'


def done(what):
    print(json.dumps({"version": anthropic.__version__, "what": what}), flush=True)


hi = [{"role": "user", "content": "Hi"}]
message = client.messages.create(model="emulated", max_tokens=99, messages=hi)
assert "emulated answer" in message.content[0].text, message
assert message._request_id.startswith("req_"), message
with client.messages.stream(model="emulated", max_tokens=99, messages=hi) as stream:
    text = "".join(stream.text_stream)
    final = stream.get_final_message()
assert text == message.content[0].text == final.content[0].text, text
assert final.usage.output_tokens == message.usage.output_tokens > 0, final
done("messages, whole and streamed")

asked = [{"role": "user", "content": CALL}]
with client.messages.stream(model="emulated", max_tokens=99, messages=asked, tools=[TOOL]) as stream:
    called = stream.get_final_message()
assert called.stop_reason == "tool_use" and called.content[0].input == {"city": "Zürich 🏔"}, called
result = {"type": "tool_result", "tool_use_id": called.content[0].id, "content": "sun"}
history = [*asked, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
last = client.messages.create(model="emulated", max_tokens=99, messages=history, tools=[TOOL])
assert "reads: sun" in last.content[0].text, last
done("a tool loop")

counted = client.messages.count_tokens(model="emulated", messages=[{"role": "user", "content": "one two three"}])
assert counted.input_tokens == 3, counted
assert "claude-emulated" in [model.id for model in client.models.list()]
try:
    client.messages.create(model="nobody", max_tokens=9, messages=hi)
    raise AssertionError("there was such a model")
except anthropic.NotFoundError as error:
    assert error.request_id.startswith("req_"), error
done("token counts, models, errors")
