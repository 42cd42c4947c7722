/** Types of the fields of a Responses request. */
import { either, FLAG, fields, LIST, listOf, NUMBER, OBJECT, TEXT } from '../shape.ts';

const PART = fields({
  type: TEXT,
  text: TEXT,
  refusal: TEXT,
  image_url: TEXT,
  detail: TEXT,
  file_id: TEXT,
  file_data: TEXT,
  file_url: TEXT,
  filename: TEXT,
});

const ITEM = fields({
  type: TEXT,
  id: TEXT,
  role: TEXT,
  phase: TEXT,
  content: either(TEXT, listOf(PART)),
  call_id: TEXT,
  name: TEXT,
  namespace: TEXT,
  arguments: either(TEXT, OBJECT),
  input: TEXT,
  output: either(TEXT, listOf(PART), OBJECT),
  status: TEXT,
  summary: listOf(fields({ type: TEXT, text: TEXT })),
  encrypted_content: TEXT,
  tools: LIST,
});

const TOOL = fields({
  type: TEXT,
  name: TEXT,
  description: TEXT,
  parameters: OBJECT,
  strict: FLAG,
  tools: LIST,
});

export const RESPONSES_SHAPE = fields({
  model: TEXT,
  input: either(TEXT, listOf(ITEM)),
  instructions: TEXT,
  stream: FLAG,
  stream_options: OBJECT,
  store: FLAG,
  background: FLAG,
  previous_response_id: TEXT,
  conversation: either(TEXT, fields({ id: TEXT })),
  prompt: fields({ id: TEXT, version: TEXT, variables: OBJECT }),
  include: listOf(TEXT),
  max_output_tokens: NUMBER,
  max_tool_calls: NUMBER,
  temperature: NUMBER,
  top_p: NUMBER,
  top_logprobs: NUMBER,
  reasoning: fields({ effort: TEXT, summary: TEXT }),
  text: fields({
    format: fields({ type: TEXT, name: TEXT, description: TEXT, schema: OBJECT, strict: FLAG }),
    verbosity: TEXT,
  }),
  tools: listOf(TOOL),
  tool_choice: either(TEXT, fields({ type: TEXT, name: TEXT, namespace: TEXT, mode: TEXT, tools: LIST })),
  parallel_tool_calls: FLAG,
  truncation: TEXT,
  metadata: OBJECT,
  service_tier: TEXT,
  user: TEXT,
  prompt_cache_key: TEXT,
  safety_identifier: TEXT,
});
