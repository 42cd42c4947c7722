"""OpenAI's Python client against a router: prints a line for each thing that worked."""
import json
import sys

import openai
from pydantic import BaseModel

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CALL = 'call get_weather {"city": "Zürich 🏔"}'


class Plan(BaseModel):
    steps: list[str]
    done: bool


def done(what):
    print(json.dumps({"version": openai.__version__, "what": what}), flush=True)


messages = [{"role": "user", "content": "Hi"}]
answer = client.chat.completions.create(model="emulated", messages=messages)
said = answer.choices[0].message.content
assert "emulated answer" in said, answer
streamed = ""
for chunk in client.chat.completions.create(model="emulated", messages=messages, stream=True):
    streamed += chunk.choices[0].delta.content or "" if chunk.choices else ""
assert streamed == said, streamed
done("chat completions, whole and streamed")

parsed = client.chat.completions.parse(model="emulated", messages=messages, response_format=Plan)
assert parsed.choices[0].message.parsed == Plan(steps=["emulated"], done=True), parsed
tools = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS, "strict": True}}]
asked = [{"role": "user", "content": CALL}]
with client.chat.completions.stream(model="emulated", messages=asked, tools=tools) as stream:
    call = stream.get_final_completion().choices[0].message.tool_calls[0]
assert json.loads(call.function.arguments) == {"city": "Zürich 🏔"}, call
done("parsed output, tools")

response = client.responses.create(model="emulated", input="Hi")
assert response.output_text == said.replace("prompt has 2", "prompt has 2"), response
with client.responses.stream(model="emulated", input="Hi") as stream:
    kinds = [event.type for event in stream]
    final = stream.get_final_response()
assert final.output_text == response.output_text, final
assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds
done("responses, whole and streamed")

plan = client.responses.parse(model="emulated", input="Hi", text_format=Plan)
assert plan.output_parsed == Plan(steps=["emulated"], done=True), plan
own = [{"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": True}]
first = client.responses.create(model="emulated", input=CALL, tools=own)
call = first.output[0]
assert json.loads(call.arguments) == {"city": "Zürich 🏔"}, call
history = [{"role": "user", "content": CALL}, *first.output]
history += [{"type": "function_call_output", "call_id": call.call_id, "output": "sun"}]
assert "reads: sun" in client.responses.create(model="emulated", input=history, tools=own).output_text
done("responses: parsed output, a tool loop")

counted = client.responses.input_tokens.count(model="emulated", input="one two three")
assert counted.input_tokens == 3, counted
assert "emulated" in [model.id for model in client.models.list()]
try:
    client.responses.create(model="auto", input="x", previous_response_id="resp_1")
    raise AssertionError("an earlier response was found")
except openai.BadRequestError as error:
    assert error.code == "previous_response_not_found", error
done("token counts, models, errors")
