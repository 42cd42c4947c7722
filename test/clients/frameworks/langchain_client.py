"""LangChain's models against a router: prints a line for each thing that worked."""
import json
import sys
from importlib.metadata import version

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

BASE = sys.argv[1]
CALL = 'call get_weather {"city": "Zürich 🏔"}'


class Plan(BaseModel):
    """What to do."""

    steps: list[str]
    done: bool


@tool
def get_weather(city: str) -> str:
    """The weather somewhere."""
    return f"sun in {city}"


def done(what):
    print(json.dumps({"version": version("langchain-core"), "what": what}), flush=True)


def check(model):
    said = model.invoke("Hi").text
    assert "emulated answer" in said, said
    assert "".join(piece.text for piece in model.stream("Hi")) == said
    bound = model.bind_tools([get_weather])
    asked = HumanMessage(CALL)
    answer = bound.invoke([asked])
    (call,) = answer.tool_calls
    assert call["args"] == {"city": "Zürich 🏔"}, call
    result = ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
    assert "reads: sun in Zürich" in bound.invoke([asked, answer, result]).text


openai = {"base_url": BASE + "/v1", "api_key": "none", "model": "emulated", "max_retries": 0}
check(ChatOpenAI(**openai))
assert ChatOpenAI(**openai).with_structured_output(Plan).invoke("Hi") == Plan(steps=["emulated"], done=True)
done("ChatOpenAI: whole, streamed, a tool loop, structured output")
check(ChatOpenAI(**openai, use_responses_api=True))
done("ChatOpenAI with Responses: the same")
check(ChatAnthropic(base_url=BASE, api_key="none", model="emulated", max_retries=0))
done("ChatAnthropic: whole, streamed, a tool loop")
embeddings = OpenAIEmbeddings(base_url=BASE + "/v1", api_key="none", model="emulated", check_embedding_ctx_length=False)
assert embeddings.embed_documents(["one", "two"])[0] == embeddings.embed_query("one")
done("OpenAIEmbeddings")
