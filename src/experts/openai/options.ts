/** What a config may say of an expert that speaks OpenAI's API over HTTP. */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';

const duration = (preset: string) =>
  z
    .string()
    .regex(DURATION_PATTERN, 'a duration such as 500ms, 30s or 5m')
    .default(preset)
    .transform((text) => parseDuration(text)!);

export const openaiOptions = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'an http:// or https:// address' })
    .describe("Base address; '/v1' is added when it has no path. Example: http://gpu1:8000"),
  model: z
    .string()
    .min(1)
    .optional()
    .describe("The model name this server knows; the expert's id when absent"),
  api_key: z
    .string()
    .min(1)
    .optional()
    .describe('Sent as a bearer token. Write ${NAME} to take it from the environment'),
  connect_timeout: duration('5s').describe('Longest wait for the connection'),
  header_timeout: duration('5m').describe('Longest wait for the first byte of the answer'),
  idle_timeout: duration('2m').describe('Longest silence within an answer'),
});

export type OpenAiOptions = z.infer<typeof openaiOptions>;

/** The address requests go to, without a final slash: `http://h:1` → `http://h:1/v1`; a given path stays. */
export function apiBase(url: string): URL {
  const base = new URL(url);
  if (base.pathname === '/') base.pathname = '/v1';
  base.pathname = base.pathname.replace(/\/+$/, '');
  return base;
}
