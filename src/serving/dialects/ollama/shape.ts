/** Types of the fields of Ollama's requests for text. */
import { FUNCTION_TOOL } from '../openai/shape.ts';
import { either, FLAG, fields, LIST, listOf, NUMBER, OBJECT, TEXT } from '../shape.ts';

const CALL = fields({ id: TEXT, function: fields({ name: TEXT, arguments: either(OBJECT, TEXT) }) });

const COMMON = {
  model: TEXT,
  stream: FLAG,
  format: either(TEXT, OBJECT),
  options: fields({
    temperature: NUMBER,
    top_p: NUMBER,
    top_k: NUMBER,
    seed: NUMBER,
    num_predict: NUMBER,
    num_ctx: NUMBER,
    repeat_penalty: NUMBER,
    frequency_penalty: NUMBER,
    presence_penalty: NUMBER,
    stop: either(TEXT, listOf(TEXT)),
  }),
  think: either(FLAG, TEXT),
  keep_alive: either(TEXT, NUMBER),
  logprobs: FLAG,
  top_logprobs: NUMBER,
};

export const CHAT_SHAPE = fields({
  ...COMMON,
  messages: listOf(
    fields({
      role: TEXT,
      content: TEXT,
      thinking: TEXT,
      images: listOf(TEXT),
      tool_calls: listOf(CALL),
      tool_call_id: TEXT,
      tool_name: TEXT,
    }),
  ),
  tools: listOf(FUNCTION_TOOL),
});

export const GENERATE_SHAPE = fields({
  ...COMMON,
  prompt: TEXT,
  suffix: TEXT,
  system: TEXT,
  template: TEXT,
  context: LIST,
  images: listOf(TEXT),
  raw: FLAG,
});
