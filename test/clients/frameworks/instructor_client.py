"""Instructor against a router: prints a line for each thing that worked."""
import json
import sys
from importlib.metadata import version

import instructor
import openai
from pydantic import BaseModel


class Plan(BaseModel):
    steps: list[str]
    done: bool


client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
for mode, asked in ((instructor.Mode.JSON_SCHEMA, "Hi"), (instructor.Mode.TOOLS, "Hi")):
    plan = instructor.from_openai(client, mode=mode).chat.completions.create(
        model="emulated", messages=[{"role": "user", "content": asked}], response_model=Plan
    )
    assert isinstance(plan, Plan), plan
    what = f"a typed answer by {mode.value}"
    print(json.dumps({"version": version("instructor"), "what": what}), flush=True)
