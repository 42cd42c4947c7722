/** A scenario as it stands in YAML: one strict schema, messages with the path of the field at fault. */
import { parse } from 'yaml';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { nearestName } from '../../core/suggest.ts';

const tokens = z.number().int().positive();
const length = z.union([tokens, z.strictObject({ median: tokens, p95: tokens, max: tokens })]);

const placement = z.strictObject({
  name: z.string().min(1).optional(),
  model: z.string().min(1),
  gpu: z.string().min(1).default('h100'),
  precision: z.string().min(1).default('fp8'),
  tensor_parallel: z.number().int().positive().default(1),
  engine: z.string().min(1).default('tensorrt-llm'),
  experts: z.number().int().positive().max(4096).default(1),
  replicas: z.number().int().positive().max(4096).default(1),
  admission: z.enum(['guaranteed-no-evict', 'optimistic']).optional(),
  chunked_prefill: z.boolean().default(true),
  slots: z.number().int().positive().optional(),
  max_batch: z.number().int().positive().optional(),
  max_tokens: z.number().int().positive().optional(),
  kv_fraction: z.number().positive().lt(1).optional(),
});

const arrivals = z.union([
  z.strictObject({ poisson: z.strictObject({ rate: z.number() }) }),
  z.strictObject({
    bursts: z.strictObject({ rate: z.number(), factor: z.number(), busy: z.number(), share: z.number() }),
  }),
  z.strictObject({ trace: z.string().min(1), speed: z.number().positive().default(1) }),
]);

const schema = z.strictObject({
  name: z.string().min(1).default('Simulation'),
  seconds: z.number().default(120),
  warmup: z.number().default(30),
  seed: z.number().int().nonnegative().default(1),
  users: z.union([z.number(), z.array(z.number()).min(1)]).optional(),
  think: z.number().default(0),
  arrivals: arrivals.optional(),
  lengths: z.union([z.string(), z.strictObject({ prompt: length, output: length })]).default('chat'),
  clusters: z
    .strictObject({
      count: z.number().int().positive().optional(),
      skew: z.number().default(0),
      shares: z.array(z.number()).min(1).optional(),
      prompts: z.string().min(1).optional(),
      config: z.string().min(1).optional(),
    })
    .default({ skew: 0 }),
  policy: z.string().min(1).default('nearest'),
  seconds_per_affinity: z.number().default(1),
  price: z.number().positive().optional(),
  placements: z.array(placement).min(1),
});

export type ScenarioFile = z.infer<typeof schema>;
export type PlacementFile = z.infer<typeof placement>;

const KEYS = Object.keys(schema.shape);
const PLACEMENT_KEYS = Object.keys(placement.shape);

/** @throws {UserError} naming the field, what is wrong, and the nearest valid name for an unknown one. */
export function parseScenario(text: string, path: string): ScenarioFile {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new UserError(`${path}: not valid YAML: ${(error as Error).message.split('\n')[0]}`, {
      cause: error,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return checkLoad(result.data, path);
  const issue = result.error.issues[0]!;
  const at = issue.path.join('.') || 'the file';
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const near = nearestName(key, issue.path[0] === 'placements' ? PLACEMENT_KEYS : KEYS);
    throw new UserError(
      `${path}: ${[...issue.path, key].join('.')}: unknown.${near ? ` Did you mean "${near}"?` : ''}`,
    );
  }
  throw new UserError(`${path}: ${at}: ${issue.message}.`);
}

function checkLoad(file: ScenarioFile, path: string): ScenarioFile {
  if (file.users === undefined && file.arrivals === undefined)
    throw new UserError(
      `${path}: needs "users" (they wait for their answers) or "arrivals" (a stream that does not).`,
    );
  if (file.users !== undefined && file.arrivals !== undefined)
    throw new UserError(`${path}: has both "users" and "arrivals"; keep one.`);
  return file;
}
