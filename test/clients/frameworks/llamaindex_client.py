"""LlamaIndex against a router: prints a line for each thing that worked."""
import json
import sys
from importlib.metadata import version

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

CALL = 'call get_weather {"city": "Zürich 🏔"}'
model = OpenAILike(
    model="emulated", api_base=sys.argv[1] + "/v1", api_key="none", is_chat_model=True, is_function_calling_model=True
)


def get_weather(city: str) -> str:
    """The weather somewhere."""
    return f"sun in {city}"


def done(what):
    print(json.dumps({"version": version("llama-index-core"), "what": what}), flush=True)


said = model.chat([ChatMessage(role="user", content="Hi")]).message.content
assert "emulated answer" in said, said
*_, last = model.stream_chat([ChatMessage(role="user", content="Hi")])
assert last.message.content == said, last
done("chats, whole and streamed")
answer = model.predict_and_call([FunctionTool.from_defaults(get_weather)], CALL)
assert str(answer) == "sun in Zürich 🏔", answer
done("a call of a tool")
