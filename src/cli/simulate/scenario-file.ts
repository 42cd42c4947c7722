/** The scenario file: a strict schema, with problems reported as for a config. */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { UserError } from '../../core/errors.ts';
import { POLICIES } from '../../deciding/routing/policies/index.ts';
import { policyPart } from '../../deciding/routing/policy-choice.ts';
import { describeProblems } from '../../serving/config/problems.ts';
import { UNMODELLED } from '../../simulating/unmodelled.ts';

/** The placement's engines take the times that the replayed records have. */
export const BY_RECORDS = 'records';

const tokens = z.number().int().positive();
const length = z.union([tokens, z.strictObject({ median: tokens, p95: tokens, max: tokens })]);

/** One kind of expert: what it is, on which GPUs, and how many of it there are. */
const expertKind = z.strictObject({
  model: z.string().min(1),
  gpu: z.string().min(1).default('h100'),
  /** As published, or FP8 where the GPU has it, when absent. */
  precision: z.string().min(1).optional(),
  kv_cache: z.enum(['8bit', '16bit']).optional(),
  tensor_parallel: z.number().int().positive().default(1),
  expert_parallel: z.boolean().default(false),
  attention_data_parallel: z.boolean().default(false),
  engine: z.string().min(1).default('tensorrt-llm'),
  experts: z.number().int().positive().max(4096).default(1),
  replicas: z.number().int().positive().max(4096).default(1),
  admission: z.enum(['guaranteed-no-evict', 'optimistic']).optional(),
  chunked_prefill: z.boolean().default(true),
  slots: z.number().int().positive().optional(),
  max_batch: z.number().int().positive().optional(),
  max_tokens: z.number().int().positive().optional(),
  kv_fraction: z.number().positive().lt(1).optional(),
  /** A file of `expert-router calibrate`, or `records`, those that are replayed: these times go before the model's. */
  calibrated: z.string().min(1).optional(),
  /** Output tokens a second that each replica's server relays at most. */
  front_end: z.number().positive().optional(),
});

/** A kind of expert, or a fleet of several kinds. */
const placement = z.union([
  expertKind.extend({ name: z.string().min(1).optional() }),
  z.strictObject({ name: z.string().min(1).optional(), fleet: z.array(expertKind).min(1) }),
]);

const arrivals = z.union([
  z.strictObject({ poisson: z.strictObject({ rate: z.number() }) }),
  z.strictObject({
    bursts: z.strictObject({ rate: z.number(), factor: z.number(), busy: z.number(), share: z.number() }),
  }),
  z.strictObject({ trace: z.string().min(1), speed: z.number().positive().default(1) }),
  /** What a gateway with this config recorded, the last of it. */
  z.strictObject({
    records: z.string().min(1),
    config: z.string().min(1),
    last: z.string().regex(DURATION_PATTERN, 'a duration such as 10m').default('10m'),
    speed: z.number().positive().default(1),
  }),
]);

const fields = {
  name: z.string().min(1).default('Simulation'),
  seconds: z.number().default(120),
  warmup: z.number().default(30),
  seed: z.number().int().nonnegative().default(1),
  users: z.union([z.number(), z.array(z.number()).min(1)]).optional(),
  think: z.number().optional(),
  /** Questions of a conversation: each carries all before it, which engines keep in their cache. */
  turns: z.number().int().positive().default(1),
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
/** Records to replay, as written in a file. */
export type RecordsInput = Extract<z.input<typeof arrivals>, { records: string }>;
export type RecordsFile = Extract<z.infer<typeof arrivals>, { records: string }>;
export type PlacementFile = z.infer<typeof placement>;
export type ExpertKindFile = z.infer<typeof expertKind>;

/** The kinds of expert a placement has. */
export function kindsOf(p: PlacementFile): readonly ExpertKindFile[] {
  return 'fleet' in p ? p.fleet : [p];
}

/**
 * @param records in place of the file's own load
 * @throws {UserError} naming every problem and its position, and suggesting names for unknown ones
 */
export function parseScenario(text: string, path: string, records?: RecordsInput): ScenarioFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) throw new UserError(`${path}: not valid YAML: ${error.message}`);
  if (records) {
    document.delete('users');
    document.set('arrivals', records);
  }
  const given: unknown = document.toJS();
  refuseUnmodelled(given, path);
  const result = schema.safeParse(given, { reportInput: true });
  if (result.success) return checkLoad(result.data, path);
  const checked = { file: path, document, lines, schema: z.toJSONSchema(schema, { io: 'input' }) };
  throw new UserError(describeProblems(result.error.issues, checked).join('\n'));
}

/** @throws {UserError} for what engines can do and the simulator cannot */
function refuseUnmodelled(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const why = Object.hasOwn(UNMODELLED, key) ? UNMODELLED[key] : undefined;
    if (why !== undefined) throw new UserError(`${path}: ${key}: ${why}.`);
    refuseUnmodelled(inner, path);
  }
}

function checkLoad(file: ScenarioFile, path: string): ScenarioFile {
  if (file.users === undefined && file.arrivals === undefined)
    throw new UserError(
      `${path}: needs "users" (they wait for their answers) or "arrivals" (a stream that does not).`,
    );
  for (const users of [file.users ?? []].flat())
    if (!(Number.isInteger(users) && users > 0))
      throw new UserError(
        `${path}: users: must be a whole number above 0, is ${users}; the nearest that works is ${Math.max(1, Math.round(users) || 1)}.`,
      );
  if (file.turns > 1 && file.users === undefined)
    throw new UserError(
      `${path}: turns: only users have conversations; replace "arrivals" by "users" and "think".`,
    );
  if (file.users !== undefined && file.arrivals !== undefined)
    throw new UserError(`${path}: has both "users" and "arrivals"; keep one.`);
  return file;
}
