/** The options of the kind `llama` as they stand in a config. */
import { z } from 'zod';
import { DEFAULT_REFERENCE } from '../../weights/reference.ts';

/**
 * Defaults chosen by reading answers of the built-in 135M model: warmer it invents, at a penalty of 1.05 a poem ends
 * in one line over and over, and with the system prompt of its own template it answers plain questions in broken French.
 */
export const llamaOptions = z.strictObject({
  weights: z
    .string()
    .min(1)
    .default(DEFAULT_REFERENCE)
    .describe('a .gguf path, an https://….gguf address, hf:owner/repo/file.gguf, or the built-in model'),
  system: z
    .string()
    .default('You are a helpful AI assistant.')
    .describe("system prompt, put before one the client sends; '' leaves it to the weights' chat template"),
  temperature: z.number().min(0).max(2).default(0.2).describe('0 always takes the likeliest token'),
  top_p: z.number().gt(0).max(1).default(0.9).describe('share of the probability that tokens are drawn from'),
  top_k: z.int().min(0).default(40).describe('0 considers every token'),
  repetition_penalty: z.number().gt(0).max(2).default(1.1).describe('1 switches it off'),
  max_tokens: z.int().min(1).default(512).describe('for requests that name no limit'),
  context: z.int().min(64).default(8192).describe('tokens of prompt and answer together, per request'),
  parallel: z.int().min(1).max(64).default(2).describe('requests generated at once; more are queued'),
  threads: z
    .int()
    .min(1)
    .optional()
    .describe('CPU threads; by default one fewer than there are cores')
    .meta({ examples: [8] }),
  gpu: z
    .union([z.literal('auto'), z.literal(false)])
    .optional()
    .describe('auto where the binary has one')
    .meta({ examples: ['auto'] }),
});

export type LlamaOptions = z.infer<typeof llamaOptions>;
