/** Types of the fields of OpenAI's chat completions and completions. */
import { either, FLAG, fields, listOf, NUMBER, OBJECT, TEXT } from '../shape.ts';

const PART = fields({
  type: TEXT,
  text: TEXT,
  refusal: TEXT,
  image_url: fields({ url: TEXT, detail: TEXT }),
  input_audio: fields({ data: TEXT, format: TEXT }),
  file: fields({ file_data: TEXT, file_id: TEXT, filename: TEXT }),
});

const CALL = fields({
  id: TEXT,
  type: TEXT,
  function: fields({ name: TEXT, arguments: TEXT }),
  custom: fields({ name: TEXT, input: TEXT }),
});

const FUNCTION = fields({ name: TEXT, description: TEXT, parameters: OBJECT, strict: FLAG });

const MESSAGE = fields({
  role: TEXT,
  name: TEXT,
  content: either(TEXT, listOf(PART)),
  refusal: TEXT,
  reasoning_content: TEXT,
  audio: fields({ id: TEXT }),
  tool_calls: listOf(CALL),
  tool_call_id: TEXT,
  function_call: fields({ name: TEXT, arguments: TEXT }),
});

export const FUNCTION_TOOL = fields({
  type: TEXT,
  function: FUNCTION,
  custom: fields({ name: TEXT, description: TEXT, format: OBJECT }),
});

/** What both APIs have. */
const COMMON = {
  model: TEXT,
  stream: FLAG,
  stream_options: fields({ include_usage: FLAG, include_obfuscation: FLAG }),
  max_tokens: NUMBER,
  n: NUMBER,
  temperature: NUMBER,
  top_p: NUMBER,
  top_k: NUMBER,
  seed: NUMBER,
  stop: either(TEXT, listOf(TEXT)),
  frequency_penalty: NUMBER,
  presence_penalty: NUMBER,
  repetition_penalty: NUMBER,
  logit_bias: OBJECT,
  user: TEXT,
};

export const CHAT_SHAPE = fields({
  ...COMMON,
  messages: listOf(MESSAGE),
  max_completion_tokens: NUMBER,
  tools: listOf(FUNCTION_TOOL),
  tool_choice: either(
    TEXT,
    fields({
      type: TEXT,
      function: fields({ name: TEXT }),
      custom: fields({ name: TEXT }),
      allowed_tools: fields({ mode: TEXT, tools: listOf(OBJECT) }),
    }),
  ),
  parallel_tool_calls: FLAG,
  functions: listOf(FUNCTION),
  function_call: either(TEXT, fields({ name: TEXT })),
  response_format: fields({
    type: TEXT,
    json_schema: fields({ name: TEXT, description: TEXT, schema: OBJECT, strict: FLAG }),
  }),
  logprobs: FLAG,
  top_logprobs: NUMBER,
  reasoning_effort: TEXT,
  verbosity: TEXT,
  modalities: listOf(TEXT),
  audio: OBJECT,
  prediction: OBJECT,
  web_search_options: OBJECT,
  service_tier: TEXT,
  store: FLAG,
  metadata: OBJECT,
  prompt_cache_key: TEXT,
  safety_identifier: TEXT,
});

export const COMPLETION_SHAPE = fields({
  ...COMMON,
  best_of: NUMBER,
  echo: FLAG,
  logprobs: NUMBER,
  suffix: TEXT,
});
