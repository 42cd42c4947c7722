"""
LangChain's standard tests of integrations, for its OpenAI and Anthropic models, against the router at $ROUTER. An
emulated model does not understand what it is asked: the tests that need that are expected to fail, and no others.
"""
import os

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_tests.integration_tests import ChatModelIntegrationTests, EmbeddingsIntegrationTests

BASE = os.environ["ROUTER"]
OPENAI = {"base_url": BASE + "/v1", "api_key": "none", "model": "emulated", "max_retries": 0}

understanding = pytest.mark.xfail(strict=True, reason="an emulated model does not understand the question")


class Emulated(ChatModelIntegrationTests):
    model_override_value = "other"

    @understanding
    def test_tool_calling(self, model):
        super().test_tool_calling(model)

    @understanding
    async def test_tool_calling_async(self, model):
        await super().test_tool_calling_async(model)

    @understanding
    def test_agent_loop(self, model):
        super().test_agent_loop(model)

    @understanding
    def test_unicode_tool_call_integration(self, model):
        super().test_unicode_tool_call_integration(model)


class TestChatOpenAI(Emulated):
    chat_model_class = ChatOpenAI
    chat_model_params = {**OPENAI, "stream_usage": True}


class TestResponses(TestChatOpenAI):
    chat_model_params = {**OPENAI, "use_responses_api": True}


class TestChatAnthropic(Emulated):
    chat_model_class = ChatAnthropic
    chat_model_params = {"base_url": BASE, "api_key": "none", "model": "emulated", "max_retries": 0}


class TestOpenAIEmbeddings(EmbeddingsIntegrationTests):
    embeddings_class = OpenAIEmbeddings
    embedding_model_params = {**OPENAI, "check_embedding_ctx_length": False}
