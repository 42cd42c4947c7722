/**
 * The one description of a config file: the loader checks against it, editors get a JSON Schema from it, and
 * types follow from it. The kinds of expert bring their own options.
 */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { DEFAULT_ROLES, ROLES } from '../../core/roles.ts';
import { nearestName } from '../../core/suggest.ts';
import { type PolicyChoice, policyField, policyPart } from '../../deciding/routing/policy-choice.ts';
import { IDENTIFIERS } from '../../deciding/text/identifiers/span.ts';
import { duration } from '../experts/option-types.ts';
import { type AnyKind, type Catalogue, SHIPPED } from './catalogue.ts';

/** Ids travel in headers, metrics and paths, so they are plain; those of Hugging Face and Ollama models are. */
export const expertId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._:/-]{0,94}[a-z0-9._-]?$/i,
    'letters, digits and . - _ : / (the last two not at an end), at most 96',
  )
  .refine((id) => id !== 'auto', "another name: 'auto' asks the router to choose");

const aliasName = z
  .string()
  .regex(/^[a-z0-9*][a-z0-9._:/*@-]{0,127}$/i, 'letters, digits and . - _ : / @ and *, at most 128')
  .refine((name) => name !== 'auto', "another name: 'auto' is taken");

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
  context_window: z
    .int()
    .positive()
    .optional()
    .describe(
      'Tokens that prompt and answer may have together; a request that needs more goes to another. What the engine tells when absent, as vLLM, SGLang, llama.cpp and Ollama (of a model that is loaded) do',
    )
    .meta({ examples: [8192] }),
  takes: z
    .array(z.enum(['text', 'image', 'audio']))
    .min(1, 'at least one of them')
    .optional()
    .describe('What its model takes; a request with anything else goes to another. Everything when absent')
    .meta({ examples: [['text']] }),
  queue_size: z.int().nonnegative().default(512).describe('Requests that may wait for this expert'),
  queue_timeout: duration.prefault('30s').describe('Longest wait in that line'),
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
  price: z
    .strictObject({
      input: z
        .number()
        .nonnegative()
        .describe('Dollars for a million tokens of prompts')
        .meta({ examples: [0.2] }),
      cached_input: z
        .number()
        .nonnegative()
        .optional()
        .describe('The same for tokens from its cache; `input` when absent')
        .meta({ examples: [0.05] }),
      output: z
        .number()
        .nonnegative()
        .describe('Dollars for a million tokens of answers')
        .meta({ examples: [0.6] }),
    })
    .optional()
    .describe('What it costs; keys with a budget can use no expert without a price')
    .meta({ examples: [{ input: 0.2, cached_input: 0.05, output: 0.6 }] }),
  fallback: z.boolean().default(false).describe('Takes prompts unlike anything the router model knows'),
};

const COMMON_FIELDS = new Set(['kind', ...Object.keys(common)]);

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

const positive = z.number().positive();

const bounds = z
  .strictObject({
    requests_per_minute: z
      .int()
      .positive()
      .optional()
      .describe('Requests in a minute')
      .meta({ examples: [60] }),
    tokens_per_minute: z
      .int()
      .positive()
      .optional()
      .describe('Tokens of prompts and answers in a minute')
      .meta({ examples: [100_000] }),
    concurrent: z
      .int()
      .positive()
      .optional()
      .describe('Requests at once')
      .meta({ examples: [8] }),
    usd_per_day: positive
      .optional()
      .describe('Dollars in a day of UTC')
      .meta({ examples: [5] }),
    usd_per_month: positive
      .optional()
      .describe('Dollars in a month of UTC')
      .meta({ examples: [100] }),
  })
  .meta({ examples: [{ requests_per_minute: 60, usd_per_month: 100 }] });

const team = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64, 'at most 64 characters')
    .describe('As keys name it')
    .meta({ examples: ['research'] }),
  limits: bounds
    .describe('Of all its keys together, beside those of each')
    .meta({ examples: [{ usd_per_month: 500 }] }),
});

const limitsStore = z.strictObject({
  redis: z
    .string()
    .regex(/^rediss?:\/\/\S+$/, 'an address such as redis://127.0.0.1:6379')
    .optional()
    .describe('Redis that all gateways share')
    .meta({ examples: ['redis://127.0.0.1:6379'] }),
  dir: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Without Redis: folder in which the counts of one gateway outlive it; in memory alone when absent',
    )
    .meta({ examples: ['./limits'] }),
  when_away: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe(
      'While Redis does not answer, requests of keys with limits are refused, or counted by each gateway within its share; keys with a budget are refused in any case',
    ),
  replicas: z.int().positive().default(1).describe('Gateways that share the Redis, for the share of each'),
  deadline: duration.prefault('250ms').describe('Longest wait for Redis, for each request'),
  reservation: duration
    .prefault('1m')
    .describe('How long what a gateway has reserved stays reserved without a sign of it'),
});

const secretHash = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, "'sha256:' and 64 hex digits; `expert-router key` makes one");

const apiKey = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64, 'at most 64 characters')
    .describe('Whose key; shown in metrics and logs')
    .meta({ examples: ['alice'] }),
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, "'sha256:' and 64 hex digits; `expert-router key` makes one")
    .describe("The key's hash; `expert-router key` makes both")
    .meta({ examples: [`sha256:${'0'.repeat(64)}`] }),
  next_hash: secretHash
    .optional()
    .describe('Of the key that is to replace it; both are valid meanwhile')
    .meta({ examples: [`sha256:${'1'.repeat(64)}`] }),
  expires: z
    .union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z',
    )
    .optional()
    .describe('When it ends, in UTC; a date ends as it begins')
    .meta({ examples: ['2027-01-31'] }),
  owner: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Who answers for it')
    .meta({ examples: ['Alice'] }),
  team: z
    .string()
    .min(1)
    .optional()
    .describe('Whose limits it shares, by name')
    .meta({ examples: ['research'] }),
  experts: z
    .array(expertId)
    .min(1, 'at least one expert')
    .optional()
    .describe('Experts that may answer it; every one when absent')
    .meta({ examples: [['code', 'maths']] }),
  models: z
    .array(z.string().min(1))
    .min(1, 'at least one name')
    .optional()
    .describe('Model names that its requests may use, as they are written there; every one when absent')
    .meta({ examples: [['auto']] }),
  limits: bounds.optional().describe('What it may take'),
  roles: z
    .array(z.enum(ROLES))
    .min(1, 'at least one role')
    .default([...DEFAULT_ROLES])
    .describe(
      'What it may do: `ask`; `observe` metrics and the state of experts; `operate`, which also shows where experts are',
    )
    .meta({ examples: [['ask']] }),
  local_only: z.boolean().default(false).describe('Whether its prompts go to local experts only'),
  priority: z
    .int()
    .min(-10)
    .max(10)
    .default(0)
    .describe('Of its requests in the queue of a busy expert: the highest first; a request may ask for less')
    .meta({ examples: [5] }),
});

const pemFile = z.string().min(1);

const tls = z.strictObject({
  cert: pemFile
    .describe('File with the certificate and its chain, in PEM')
    .meta({ examples: ['./router.pem'] }),
  key: pemFile.describe('File with its private key, in PEM').meta({ examples: ['./router.key'] }),
  client_ca: pemFile
    .optional()
    .describe('File with the authority that must have signed the certificate of every client')
    .meta({ examples: ['./clients.pem'] }),
});

/** Those that carry credentials, or that HTTP or the router itself sets. */
const KEPT_BACK =
  /^(?:authorization|cookie|x-api-key|api-key|proxy-.*|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|x-expert-router-.*)$/;

const headerName = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, 'a header in lower case')
  .refine(
    (name) => !KEPT_BACK.test(name) && !name.startsWith('x-envoy-'),
    'another header: this one has a use',
  );

const extproc = z.strictObject({
  listen: z
    .string()
    .regex(/^(?:\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, 'an address with a port, such as 127.0.0.1:9002')
    .default('127.0.0.1:9002')
    .describe('Address and port for Envoy'),
  expert_headers: z
    .array(headerName)
    .min(1, 'at least one header: Envoy routes by it')
    .default(['x-selected-model'])
    .describe("Request headers that get the expert's id; Envoy routes by the first"),
  model_headers: z
    .array(headerName)
    .default(['x-gateway-model-name'])
    .describe("Request headers that get the model's name as the expert's server knows it"),
  endpoints: z
    .boolean()
    .default(true)
    .describe(
      "Whether requests name the expert's replicas in order of preference; false where somebody after us picks them",
    ),
  deadline: duration
    .prefault('2m')
    .describe('Longest time from the head of a request to its decision, its body and any waiting included'),
});

const fields = {
  listen: z
    .string()
    .regex(/^(?:\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, 'an address with a port, such as 127.0.0.1:8080')
    .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'a port is at most 65535')
    .default('127.0.0.1:8080')
    .describe('Address and port to serve on'),
  router: z
    .string()
    .min(1)
    .optional()
    .describe('Router model file; the one that ships with the product when absent')
    .meta({ examples: ['./my.router.safetensors'] }),
  worth: z
    .strictObject({
      score_per_cost: z
        .number()
        .nonnegative()
        .default(0)
        .describe(
          'What an expert must add in score (0 to 1) to be worth one unit of cost more, such as a dollar',
        ),
      score_per_second: z
        .number()
        .nonnegative()
        .default(0)
        .describe('The same for one second until its answer is complete'),
    })
    .prefault({})
    .describe(
      'What cost and time count where the router model learned from scores (`expert-router learn`); `expert-router calibrate-cost` finds a value',
    )
    .meta({ examples: [{ score_per_cost: 20 }] }),
  deidentify: z
    .union([
      z.boolean(),
      z.strictObject({
        keep: z
          .array(z.enum(IDENTIFIERS))
          .default([])
          .describe('Kinds of identifiers that stay')
          .meta({ examples: [['date']] }),
      }),
    ])
    .default(false)
    .describe(
      'Takes names, dates, numbers and addresses that identify people out of what is classified, shown as its text and kept with feedback; experts get the request as it came (docs/deidentify.md)',
    )
    .meta({ examples: [true] }),
  exploration: z
    .number()
    .min(0)
    .max(0.2, 'at most 0.2: a fifth of new conversations')
    .default(0)
    .describe(
      'Share of new conversations whose expert is drawn by Thompson sampling, so that feedback can find out who is better than is known',
    )
    .meta({ examples: [0.02] }),
  records: z
    .strictObject({
      dir: z
        .string()
        .min(1)
        .describe('Folder for them, made if it is missing')
        .meta({ examples: ['./records'] }),
      max_bytes: z
        .int()
        .min(1_000_000)
        .default(100_000_000)
        .describe('Bytes that its files may take together; the oldest are deleted'),
    })
    .optional()
    .describe(
      'Keeps a line per decision and feedback (`POST /v1/feedback`) for `expert-router learn --from`: vector, cluster, choice, times and tokens, no prompt and no answer. A change takes effect with a restart; nothing is kept when absent',
    )
    .meta({ examples: [{ dir: './records' }] }),
  audit: z
    .strictObject({
      dir: z
        .string()
        .min(1)
        .describe('Folder for it, made if it is missing; a file a day, none ever deleted')
        .meta({ examples: ['./audit'] }),
    })
    .optional()
    .describe(
      'Keeps a line per request (key, expert, cluster, tokens, cost) and per change of keys for `expert-router usage`: no prompt and no answer. A change takes effect with a restart; nothing is kept when absent',
    )
    .meta({ examples: [{ dir: './audit' }] }),
  heartbeat: duration
    .prefault('10s')
    .describe(
      'Silence after which a stream gets a comment or ping, so that no proxy cuts it. The first one sends the headers, after which a failure can no longer have a status of its own: a value above first_token_timeout holds them back',
    ),
  hedge: z
    .boolean()
    .default(false)
    .describe(
      'A stream slower to start than 19 of 20 is tried at a second expert too; the first to answer wins',
    ),
  request_timeout: duration
    .prefault('10m')
    .describe('Longest time a whole request may take, retries included'),
  max_body_mb: z.number().positive().max(1024).default(32).describe('Largest request body, in MB'),
  max_connections: z
    .int()
    .positive()
    .default(10_000)
    .describe('Client connections at once, over all workers'),
  max_connections_per_address: z
    .int()
    .positive()
    .optional()
    .describe('Of these, from one address; a proxy in front is one address')
    .meta({ examples: [200] }),
  keys: z
    .array(apiKey)
    .default([])
    .describe('API keys that may call the router; without any it serves loopback only'),
  teams: z
    .array(team)
    .default([])
    .describe('Keys that share limits')
    .meta({ examples: [[{ name: 'research', limits: { usd_per_month: 500 } }]] }),
  limits: limitsStore.prefault({}).describe('Where the limits of keys and teams are counted'),
  dashboard: z
    .boolean()
    .default(true)
    .describe('Whether the dashboard is served at /ui; with keys, to those with the role `observe`'),
  tls: tls
    .optional()
    .describe(
      'Serves https with this certificate, which is read again when its files change; http when absent',
    )
    .meta({ examples: [{ cert: './router.pem', key: './router.key' }] }),
  local_only_clusters: z
    .array(z.union([z.int().nonnegative(), z.string().min(1)]))
    .default([])
    .describe('Clusters, by number or name, whose prompts go to local experts only')
    .meta({ examples: [[12]] }),
  extproc: extproc.prefault({}).describe('How Envoy is served, by `extproc` and `serve --extproc`'),
  forward_headers: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9-]{1,64}$/, 'a header in lower case')
        .refine((name) => !KEPT_BACK.test(name), 'another header: this one is not for experts'),
    )
    .default([])
    .describe(
      "Clients' headers that experts get besides accept, accept-language, traceparent, tracestate and x-request-id",
    )
    .meta({ examples: [['baggage', 'x-session-id']] }),
  allowed_hosts: z
    .array(
      z
        .string()
        .regex(/^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/i, 'a name or an address, without scheme and port'),
    )
    .default([])
    .describe('Without keys: names besides localhost under which requests may ask for this router')
    .meta({ examples: [['gateway.local']] }),
  allowed_origins: z
    .array(
      z
        .string()
        .regex(
          /^(?:\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+)$/i,
          'a scheme, a name and perhaps a port, such as https://chat.example.com; with keys also * for any',
        ),
    )
    .default([])
    .describe(
      'Origins of web pages from elsewhere that may read answers (CORS). Without keys, requests of other pages are refused; with keys, `*` lists them all',
    )
    .meta({ examples: [['https://chat.example.com']] }),
};

function expertList(kinds: readonly AnyKind[]) {
  const byKind = kinds.map(expertOf) as [z.ZodObject, ...z.ZodObject[]];
  return z
    .array(z.discriminatedUnion('kind', byKind))
    .min(1, 'at least one expert')
    .superRefine((experts, context) => {
      refuseTwice(experts as ExpertConfig[], context);
      refuseObjections(experts as ExpertConfig[], kinds, context);
    });
}

/** The schema of a config that chooses from a catalogue. @throws UserError for a kind whose options do not fit in */
export function configSchema({ kinds, policies }: Catalogue = SHIPPED) {
  const all = { ...fields, aliases: aliasesField(policies), experts: expertList(kinds) };
  const { fields: policyFields, check, chosen } = policyPart(policies, 'spill', Object.keys(all));
  return z
    .strictObject({ ...all, ...policyFields })
    .superRefine(check)
    .superRefine(checkAliases)
    .superRefine(checkOrigins)
    .superRefine(checkKeys)
    .transform((config) => ({
      ...config,
      policy: chosen(config),
      aliases: Object.fromEntries(
        Object.entries(config.aliases).map(([name, written]) => [name, aliasOf(written as AliasInput)]),
      ),
    }));
}

/** @param policies those that an alias may choose */
function aliasesField(policies: Catalogue['policies']) {
  const among = z.array(expertId).min(1, 'at least one expert');
  const choice = z.strictObject({
    experts: among.optional().describe('Candidates; every expert when absent'),
    policy: policyField(policies)
      .optional()
      .describe("Chooses among them; the config's own policy when absent"),
  });
  return z
    .record(aliasName, z.union([z.string().min(1), among, choice]))
    .default({})
    .describe(
      'Other model names that requests may use, `*` for any characters: for an expert, for `auto`, for a choice among some experts, or for one with a policy of its own',
    )
    .meta({ examples: [{ 'gpt-4o': 'auto', 'auto/fast': { policy: 'least-loaded' } }] });
}

/** An alias as people write it. */
export type AliasInput =
  | string
  | readonly string[]
  | { readonly experts?: readonly string[] | undefined; readonly policy?: string | PolicyChoice | undefined };

/** What a model name besides the experts' own and `auto` stands for; a text is an expert's id, or `auto`. */
export type Alias =
  | string
  | { readonly experts: readonly string[] | null; readonly policy: PolicyChoice | null };

function aliasOf(written: AliasInput): Alias {
  if (typeof written === 'string') return written;
  if (isList(written)) return { experts: written, policy: null };
  const { experts = null, policy = null } = written;
  return { experts, policy: typeof policy === 'string' ? { name: policy } : policy };
}

function isList(value: AliasInput): value is readonly string[] {
  return Array.isArray(value);
}

/** Any page could use what needs no key. */
function checkOrigins(config: unknown, context: z.RefinementCtx): void {
  const { allowed_origins: origins, keys } = config as { allowed_origins: string[]; keys: unknown[] };
  const at = origins.indexOf('*');
  if (at < 0 || keys.length > 0) return;
  const message = 'any page could use this router: set keys, or list the origins that may';
  context.addIssue({ code: 'custom', path: ['allowed_origins', at], message });
}

/** Reports keys of teams and experts that the config does not have, and names given twice where limits tell them apart. */
function checkKeys(config: unknown, context: z.RefinementCtx): void {
  const { keys, teams, experts, limits } = config as {
    keys: { name: string; team?: string; experts?: string[]; limits?: object }[];
    teams: { name: string }[];
    experts: ExpertConfig[];
    limits: { redis?: string; dir?: string };
  };
  const say = (path: PropertyKey[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  const unknown = (what: string, name: string, known: readonly string[]): string => {
    const near = nearestName(name, known);
    return `no ${what} is called '${name}'${near ? `; did you mean '${near}'?` : `; there are: ${known.join(', ') || 'none'}`}`;
  };
  const [teamNames, ids] = [teams.map(({ name }) => name), experts.map(({ id }) => id)];
  teamNames.forEach((name, at) => {
    if (teamNames.indexOf(name) < at) say(['teams', at, 'name'], `a second team called '${name}'`);
  });
  keys.forEach(({ name, team: of, experts: among = [], limits: own }, at) => {
    if (of !== undefined && !teamNames.includes(of))
      say(['keys', at, 'team'], unknown('team', of, teamNames));
    among.forEach((id, index) => {
      if (!ids.includes(id)) say(['keys', at, 'experts', index], unknown('expert', id, ids));
    });
    const same = keys.findIndex((other) => other.name === name);
    if (same < at && (own || keys[same]!.limits))
      say(['keys', at, 'name'], `a second key called '${name}': limits go by name`);
  });
  if (limits.redis !== undefined && limits.dir !== undefined)
    say(['limits', 'dir'], 'limits are kept in Redis or in a folder: leave out one of the two');
}

/** Reports aliases of experts that the config does not have. */
function checkAliases(config: unknown, context: z.RefinementCtx): void {
  const { aliases, experts } = config as { aliases: Record<string, AliasInput>; experts: ExpertConfig[] };
  const ids = experts.map(({ id }) => id);
  const unknown = (path: readonly PropertyKey[], name: string): void => {
    const near = nearestName(name, [...ids, 'auto']);
    const message = `no expert is called '${name}'${near ? `; did you mean '${near}'?` : `; there are: ${ids.join(', ')}`}`;
    context.addIssue({ code: 'custom', path: ['aliases', ...path], message });
  };
  for (const [name, written] of Object.entries(aliases)) {
    if (ids.includes(name))
      context.addIssue({ code: 'custom', path: ['aliases', name], message: 'an expert has this name' });
    const alias = aliasOf(written);
    if (typeof alias === 'string') {
      if (alias !== 'auto' && !ids.includes(alias)) unknown([name], alias);
    } else for (const id of alias.experts ?? []) if (!ids.includes(id)) unknown([name], id);
  }
}

/** Reports options that do not go together, as each expert's kind sees it. */
function refuseObjections(
  experts: readonly ExpertConfig[],
  kinds: readonly AnyKind[],
  context: z.RefinementCtx,
): void {
  experts.forEach((expert, index) => {
    const kind = kinds.find((one) => one.kind === expert.kind);
    const objection = kind?.objection?.(kindOptions(expert)) ?? null;
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

/** One expert as configured: the fields every kind shares; those of its kind stand beside them. */
export interface ExpertConfig {
  readonly id: string;
  readonly kind: string;
  readonly description?: string | undefined;
  readonly samples?: readonly string[] | undefined;
  readonly clusters?: readonly (number | string)[] | undefined;
  readonly local?: boolean | undefined;
  /** Dollars for a million tokens. */
  readonly price?:
    | { readonly input: number; readonly cached_input?: number | undefined; readonly output: number }
    | undefined;
  readonly fallback: boolean;
  readonly max_concurrent?: number | undefined;
  readonly context_window?: number | undefined;
  readonly takes?: readonly ('text' | 'image' | 'audio')[] | undefined;
  readonly queue_size: number;
  readonly queue_timeout: number;
  readonly first_token_timeout?: number | undefined;
  readonly [option: string]: unknown;
}

export interface Config extends Omit<z.infer<ReturnType<typeof configSchema>>, 'experts' | 'aliases'> {
  readonly experts: readonly ExpertConfig[];
  readonly aliases: Readonly<Record<string, Alias>>;
  readonly policy: PolicyChoice;
}

/** An expert as people write it; the options of its kind stand beside these fields. Durations are text: `30s`. */
export interface ExpertInput {
  readonly id: string;
  readonly kind: string;
  readonly description?: string | undefined;
  readonly samples?: readonly string[] | undefined;
  readonly clusters?: readonly (number | string)[] | undefined;
  readonly local?: boolean | undefined;
  readonly fallback?: boolean | undefined;
  readonly max_concurrent?: number | undefined;
  readonly context_window?: number | undefined;
  readonly takes?: readonly ('text' | 'image' | 'audio')[] | undefined;
  readonly queue_size?: number | undefined;
  readonly queue_timeout?: string | undefined;
  readonly first_token_timeout?: string | undefined;
  readonly [option: string]: unknown;
}

/** A config as people write it, as an object: the fields of a config file, by the same names (docs/config.md). */
export interface ConfigInput extends z.input<z.ZodObject<typeof fields>> {
  readonly experts: readonly ExpertInput[];
  readonly aliases?: Readonly<Record<string, AliasInput>> | undefined;
  /** A policy's name, or its name and options. */
  readonly policy?: string | PolicyChoice | undefined;
}

/** The options of an expert's own kind, without the fields that all kinds share. */
export function kindOptions(expert: ExpertConfig): Record<string, unknown> {
  return Object.fromEntries(Object.entries(expert).filter(([name]) => !COMMON_FIELDS.has(name)));
}

/** JSON Schema of the file as people write it (durations are text, defaults may be left out). */
export function configJsonSchema(catalogue: Catalogue = SHIPPED): unknown {
  return {
    ...z.toJSONSchema(configSchema(catalogue), { io: 'input' }),
    title: 'Expert Router configuration',
  };
}
