/** What a config says of an expert's price. */
import { z } from 'zod';

const dollars = z.number().nonnegative();

export const price = z
  .strictObject({
    input: dollars
      .optional()
      .describe('Dollars for a million tokens of prompts')
      .meta({ examples: [0.2] }),
    cached_input: dollars
      .optional()
      .describe('The same for tokens from its cache; `input` when absent')
      .meta({ examples: [0.05] }),
    output: dollars
      .optional()
      .describe('Dollars for a million tokens of answers')
      .meta({ examples: [0.6] }),
    per_gpu_hour: dollars
      .optional()
      .describe(
        'Dollars for an hour of one of its GPUs: of each moment a replica is busy, its requests bear equal parts. In place of prices of tokens, or beside them',
      )
      .meta({ examples: [2.5] }),
    gpus: z
      .int()
      .positive()
      .optional()
      .describe('GPUs of a replica; 1 when absent')
      .meta({ examples: [4] }),
  })
  .superRefine(({ input, cached_input, output, per_gpu_hour, gpus }, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (input === undefined && output === undefined && per_gpu_hour === undefined)
      refuse('input', 'a price for tokens (`input` and `output`) or for GPUs (`per_gpu_hour`)');
    else if ((input === undefined) !== (output === undefined))
      refuse(input === undefined ? 'input' : 'output', 'tokens have a price for prompts and one for answers');
    if (cached_input !== undefined && input === undefined) refuse('cached_input', 'goes with `input`');
    if (gpus !== undefined && per_gpu_hour === undefined) refuse('gpus', 'goes with `per_gpu_hour`');
  });
