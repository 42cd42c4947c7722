/** What a config says of an expert: the fields that every kind shares, beside which the options of its kind stand. */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { duration } from '../experts/option-types.ts';
import type { AnyKind } from './catalogue.ts';
import { price } from './price-fields.ts';
import { type StartConfig, startFields, startObjection } from './start-fields.ts';

/** Ids travel in headers, metrics and paths, so they are plain; those of Hugging Face and Ollama models are. */
export const expertId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._:/-]{0,94}[a-z0-9._-]?$/i,
    'letters, digits and . - _ : / (the last two not at an end), at most 96',
  )
  .refine((id) => id !== 'auto', "another name: 'auto' asks the router to choose");

const trait = (does: string) =>
  z
    .boolean()
    .optional()
    .describe(
      `Whether its model ${does} goes to another where it does not. What the engine tells when absent, else true`,
    )
    .meta({ examples: [false] });

const MODALITY = z.enum(['text', 'image', 'audio']);

const common = {
  id: expertId.describe('Name in requests, headers and metrics').meta({ examples: ['code'] }),
  description: z
    .string()
    .min(1)
    .optional()
    .describe('What it is good at, in a sentence; decides which clusters it serves')
    .meta({ examples: ['Writes and explains programs'] }),
  samples: z
    .array(z.string().min(1))
    .optional()
    .describe('Typical prompts; they decide which clusters it serves')
    .meta({ examples: [['Fix this function', 'Write an SQL query']] }),
  clusters: z
    .array(z.union([z.int().nonnegative(), z.string().min(1)]))
    .optional()
    .describe('Clusters it serves, by number or name; `expert-router assign` lists them')
    .meta({ examples: [[3, 17]] }),
  max_concurrent: z
    .int()
    .positive()
    .optional()
    .describe('Requests each replica may hold at once; the kind has a default')
    .meta({ examples: [64] }),
  context: z
    .int()
    .positive()
    .optional()
    .describe(
      'Tokens that prompt and answer may have together; a request that needs more goes to another. What the engine tells when absent, as vLLM, SGLang, llama.cpp and Ollama (of a model that is loaded) do',
    )
    .meta({ examples: [8192] }),
  context_window: z
    .int()
    .positive()
    .optional()
    .describe('The former name of `context`, which goes before it')
    .meta({ examples: [8192] }),
  modalities: z
    .array(MODALITY)
    .min(1, 'at least one of them')
    .optional()
    .describe(
      'What its model takes; a request with anything else goes to another. What the engine tells when absent, as llama.cpp and Ollama do, else everything',
    )
    .meta({ examples: [['text']] }),
  takes: z
    .array(MODALITY)
    .min(1, 'at least one of them')
    .optional()
    .describe('The former name of `modalities`, which goes before it')
    .meta({ examples: [['text']] }),
  tools: trait('calls tools; a request that offers tools'),
  structured_output: trait('can be held to JSON; a request that demands JSON'),
  thinking: trait('thinks; a request that asks for thinking'),
  queue_size: z.int().nonnegative().default(512).describe('Requests that may wait for this expert'),
  queue_timeout: duration.prefault('30s').describe('Longest wait in that line'),
  ...startFields,
  first_token_timeout: duration
    .optional()
    .describe("Longest wait for a stream's first byte before another is tried"),
  local: z
    .boolean()
    .optional()
    .describe(
      'Whether prompts that must not leave may go to it; when absent, only to one that computes in this process',
    )
    .meta({ examples: [true] }),
  price: price
    .optional()
    .describe('What it costs; keys with a budget can use no expert without a price')
    .meta({ examples: [{ input: 0.2, cached_input: 0.05, output: 0.6 }, { per_gpu_hour: 2.5 }] }),
  fallback: z.boolean().default(false).describe('Takes prompts unlike anything the router model knows'),
};

/** A kind whose experts make their context themselves has an option of this name, which means the same. */
const ALSO_AN_OPTION = 'context';

const COMMON_FIELDS = new Set(['kind', ...Object.keys(common).filter((name) => name !== ALSO_AN_OPTION)]);

/** The fields of an expert of one kind. @throws UserError for an option that has the name of a common field */
function expertOf({ kind, summary, options }: AnyKind): z.ZodObject {
  const { shape } = options as z.ZodObject;
  const taken = Object.keys(shape).find((name) => COMMON_FIELDS.has(name));
  if (taken !== undefined)
    throw new UserError(
      `The kind '${kind}' cannot have an option '${taken}': every expert has a field of that name.`,
    );
  const named = z.literal(kind).describe('What the expert is');
  return z.strictObject({ kind: named, ...common, ...shape }).describe(summary);
}

export function expertList(kinds: readonly AnyKind[]) {
  const byKind = kinds.map(expertOf) as [z.ZodObject, ...z.ZodObject[]];
  return z
    .array(z.discriminatedUnion('kind', byKind))
    .min(1, 'at least one expert')
    .superRefine((experts, context) => {
      refuseTwice(experts as ExpertConfig[], context);
      refuseObjections(experts as ExpertConfig[], kinds, context);
    });
}

/** Reports options that do not go together, as each expert's kind sees it. */
function refuseObjections(
  experts: readonly ExpertConfig[],
  kinds: readonly AnyKind[],
  context: z.RefinementCtx,
): void {
  experts.forEach((expert, index) => {
    const kind = kinds.find((one) => one.kind === expert.kind);
    if (!kind) return;
    const options = kindOptions(expert);
    const discovered = (kind.discover?.(options) ?? null) !== null;
    const objection =
      kind.objection?.(options) ??
      startObjection(expert, {
        hasServers: kind.replicas !== undefined,
        discovered,
      });
    if (objection)
      context.addIssue({ code: 'custom', path: [index, objection.option], message: objection.message });
  });
}

function refuseTwice(experts: readonly ExpertConfig[], context: z.RefinementCtx): void {
  experts.forEach((expert, index) => {
    if (experts.findIndex((other) => other.id === expert.id) < index) {
      context.addIssue({
        code: 'custom',
        path: [index, 'id'],
        message: `a second expert called '${expert.id}'`,
      });
    }
    if (expert.fallback && experts.findIndex((other) => other.fallback) < index) {
      context.addIssue({
        code: 'custom',
        path: [index, 'fallback'],
        message: 'only one expert can be the fallback',
      });
    }
  });
}

type Modality = z.infer<typeof MODALITY>;

/** What is the same in a file and in a config; the options of its kind stand beside these fields. */
interface SharedFields {
  readonly id: string;
  readonly kind: string;
  readonly description?: string | undefined;
  readonly samples?: readonly string[] | undefined;
  readonly clusters?: readonly (number | string)[] | undefined;
  readonly local?: boolean | undefined;
  readonly price?: z.infer<typeof price> | undefined;
  readonly start?: readonly string[] | 'engine' | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly max_concurrent?: number | undefined;
  readonly context?: number | undefined;
  readonly context_window?: number | undefined;
  readonly modalities?: readonly Modality[] | undefined;
  readonly takes?: readonly Modality[] | undefined;
  readonly tools?: boolean | undefined;
  readonly structured_output?: boolean | undefined;
  readonly thinking?: boolean | undefined;
  readonly [option: string]: unknown;
}

/** One expert as configured; durations in milliseconds. */
export interface ExpertConfig extends SharedFields, StartConfig {
  readonly fallback: boolean;
  readonly queue_size: number;
  readonly queue_timeout: number;
  readonly first_token_timeout?: number | undefined;
}

/** An expert as people write it. Durations are text: `30s`. */
export interface ExpertInput extends SharedFields {
  readonly fallback?: boolean | undefined;
  readonly queue_size?: number | undefined;
  readonly queue_timeout?: string | undefined;
  readonly first_token_timeout?: string | undefined;
  readonly idle?: string | undefined;
  readonly start_timeout?: string | undefined;
}

/** The options of an expert's own kind, without the fields that all kinds share. */
export function kindOptions(expert: ExpertConfig): Record<string, unknown> {
  return Object.fromEntries(Object.entries(expert).filter(([name]) => !COMMON_FIELDS.has(name)));
}
