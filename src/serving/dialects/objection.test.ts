/** The refusals of engines and clouds, in their words. */
import { expect, it } from 'vitest';
import { objectionIn } from './objection.ts';

const said = (status: number, message: string, code: string | null = null) =>
  objectionIn({ status, message, type: 'invalid_request_error', code });

it.each<[number, string, (string | null)?]>([
  [400, "This model's maximum context length is 4096 tokens. However, you requested 5012 tokens."],
  [400, 'The decoder prompt (length 5000) is longer than the maximum model length of 4096.'],
  [400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."],
  [400, 'the request exceeds the available context size, try increasing it', 'exceed_context_size_error'],
  [422, 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 + 20'],
  [400, 'prompt is too long: 200001 tokens > 199999 maximum'],
  [400, 'input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000'],
  [400, 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).'],
  [400, "This model's maximum prompt length is 131072 but the request contains 140000 tokens."],
  [413, 'Prompt has 5012 tokens, the window is 4096'],
  [500, 'no words at all', 'context_length_exceeded'],
])('of a prompt that does not fit: %s %s', (status, message, code) => {
  expect(said(status, message, code ?? null)).toBe('length');
});

it.each<[number, string, (string | null)?]>([
  [400, 'no', 'content_filter'],
  [400, 'Output data may contain inappropriate content.', 'DataInspectionFailed'],
  [403, 'Your chosen model requires moderation and your input was flagged for "violence".', '403'],
  [400, 'Content Exists Risk', 'invalid_request_error'],
  [400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."],
])('of what the prompt says: %s %s', (status, message, code) => {
  expect(said(status, message, code ?? null)).toBe('content');
});

it.each<[number, string, (string | null)?]>([
  [400, 'Model Not Exist'],
  [400, 'API key not valid. Please pass a valid API key.', 'API_KEY_INVALID'],
  [400, 'Your credit balance is too low to access the API.'],
  [422, 'no', 'model_not_found'],
])('of what the config gives: %s %s', (status, message, code) => {
  expect(said(status, message, code ?? null)).toBe('setup');
});

it.each<[number, string, (string | null)?]>([
  [400, "'messages[0].role' must be a string."],
  [400, 'temperature must be at most 2'],
  [413, 'Request Entity Too Large'],
  [422, 'messages: Field required'],
  [429, 'Rate limit reached: 10000 tokens per minute is the maximum.'],
  [500, 'CUDA out of memory: the sequence exceeds the cache'],
])('of nothing that is known: %s %s', (status, message, code) => {
  expect(said(status, message, code ?? null)).toBeNull();
});
