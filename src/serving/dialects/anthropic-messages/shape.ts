/** Types of the fields of a Messages request. */
import { either, FLAG, fields, LIST, listOf, NUMBER, OBJECT, type Shape, TEXT } from '../shape.ts';

const SOURCE = either(
  TEXT,
  fields({
    type: TEXT,
    media_type: TEXT,
    data: TEXT,
    url: TEXT,
    file_id: TEXT,
    content: either(TEXT, LIST),
  }),
);

/** @param content of the blocks that hold blocks */
function block(content: Shape): Shape {
  return fields({
    type: TEXT,
    text: TEXT,
    cache_control: OBJECT,
    citations: either(LIST, OBJECT),
    source: SOURCE,
    title: TEXT,
    context: TEXT,
    id: TEXT,
    name: TEXT,
    input: OBJECT,
    tool_use_id: TEXT,
    is_error: FLAG,
    thinking: TEXT,
    signature: TEXT,
    data: TEXT,
    content,
  });
}

/** What servers of Anthropic's answer holds objects too. */
const BLOCK = block(either(TEXT, listOf(block(either(TEXT, LIST, OBJECT))), OBJECT));

export const MESSAGES_SHAPE = fields({
  model: TEXT,
  messages: listOf(fields({ role: TEXT, content: either(TEXT, listOf(BLOCK)) })),
  system: either(TEXT, listOf(fields({ type: TEXT, text: TEXT, cache_control: OBJECT }))),
  max_tokens: NUMBER,
  stream: FLAG,
  temperature: NUMBER,
  top_p: NUMBER,
  top_k: NUMBER,
  stop_sequences: listOf(TEXT),
  tools: listOf(
    fields({
      type: TEXT,
      name: TEXT,
      description: TEXT,
      input_schema: OBJECT,
      strict: FLAG,
      cache_control: OBJECT,
    }),
  ),
  tool_choice: fields({ type: TEXT, name: TEXT, disable_parallel_tool_use: FLAG }),
  thinking: fields({ type: TEXT, budget_tokens: NUMBER }),
  output_config: fields({ effort: TEXT, format: fields({ type: TEXT, schema: OBJECT }) }),
  output_format: fields({ type: TEXT, schema: OBJECT }),
  metadata: fields({ user_id: TEXT }),
  service_tier: TEXT,
  mcp_servers: LIST,
  context_management: OBJECT,
});
