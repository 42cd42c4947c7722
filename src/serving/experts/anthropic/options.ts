/** What a config may say of an expert behind Anthropic's Messages API. */
import { z } from 'zod';
import { apiKey, baseAddress, proxyOption } from '../access.ts';
import { duration } from '../option-types.ts';
import { testRequest } from '../prove.ts';
import { trustOptions } from '../trust.ts';

export const anthropicOptions = z.strictObject({
  url: baseAddress
    .refine((url) => !url.includes('?'), 'an address without a query, which would be lost')
    .default('https://api.anthropic.com')
    .describe("Base address of the Messages API; '/v1' is added to one without a path"),
  model: z
    .string()
    .min(1)
    .optional()
    .describe("The model to ask for, such as claude-sonnet-4-5; the expert's id when absent")
    .meta({ examples: ['claude-sonnet-4-5'] }),
  api_key: apiKey
    .optional()
    .describe('Sent as x-api-key. Write ${NAME} to take it from the environment')
    .meta({ examples: ['${ANTHROPIC_API_KEY}'] }),
  version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'a date such as 2023-06-01')
    .default('2023-06-01')
    .describe('Sent as anthropic-version'),
  max_tokens: z
    .int()
    .positive()
    .default(4096)
    .describe('Longest answer where the request names no limit; the API demands one'),
  sampling: z
    .enum(['drop', 'send'])
    .default('drop')
    .describe(
      'What becomes of temperature, top_p and top_k: models from Opus 4.7 on and API version 2026-10-21 refuse them; `send` is for older ones',
    ),
  test_request: testRequest,
  proxy: proxyOption,
  ...trustOptions,
  connect_timeout: duration.prefault('5s').describe('Longest wait for the connection'),
  header_timeout: duration.prefault('5m').describe('Longest wait for the first byte of the answer'),
  idle_timeout: duration.prefault('2m').describe('Longest silence within an answer'),
});

export type AnthropicOptions = z.infer<typeof anthropicOptions>;
