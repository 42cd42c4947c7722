/** The scenario file: a strict schema, with problems reported as for a config. */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { POLICIES } from '../../deciding/routing/policies/index.ts';
import { policyPart } from '../../deciding/routing/policy-choice.ts';
import { describeProblems } from '../../serving/config/problems.ts';

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

const fields = {
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
  price: z.number().positive().optional(),
  placements: z.array(placement).min(1),
};

const POLICY = policyPart(POLICIES, 'nearest', Object.keys(fields));
const schema = z.strictObject({ ...fields, ...POLICY.fields }).superRefine(POLICY.check);

/** The policy of a file, or another one by name with the file's options. */
export const policyOf = POLICY.chosen;

export type ScenarioFile = z.infer<typeof schema>;
export type PlacementFile = z.infer<typeof placement>;

/** @throws {UserError} naming every problem and its position, and suggesting names for unknown ones */
export function parseScenario(text: string, path: string): ScenarioFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) throw new UserError(`${path}: not valid YAML: ${error.message}`);
  const result = schema.safeParse(document.toJS(), { reportInput: true });
  if (result.success) return checkLoad(result.data, path);
  const checked = { file: path, document, lines, schema: z.toJSONSchema(schema, { io: 'input' }) };
  throw new UserError(describeProblems(result.error.issues, checked).join('\n'));
}

function checkLoad(file: ScenarioFile, path: string): ScenarioFile {
  if (file.users === undefined && file.arrivals === undefined)
    throw new UserError(`${path}: needs "users" (closed loop) or "arrivals" (open loop).`);
  if (file.users !== undefined && file.arrivals !== undefined)
    throw new UserError(`${path}: has both "users" and "arrivals"; keep one.`);
  return file;
}
