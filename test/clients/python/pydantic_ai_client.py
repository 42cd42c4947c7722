"""Pydantic AI against a router: prints a line for each thing that worked."""
import json
import sys
from importlib.metadata import version

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

CALL = 'call get_weather {"city": "Zürich 🏔"}'
openai = OpenAIProvider(base_url=sys.argv[1] + "/v1", api_key="none")
MODELS = {
    "chat completions": OpenAIChatModel("emulated", provider=openai),
    "responses": OpenAIResponsesModel("emulated", provider=openai),
}

for name, model in MODELS.items():
    agent = Agent(model)

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather somewhere."""
        return f"sun in {city}"

    assert "emulated answer" in agent.run_sync("Hi").output
    answer = agent.run_sync(CALL)
    assert "reads: sun in Zürich" in answer.output, answer
    print(json.dumps({"version": version("pydantic-ai-slim"), "what": f"{name}: an answer, a tool loop"}), flush=True)
