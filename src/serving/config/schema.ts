/**
 * The one description of a config file: the loader checks against it, editors get a JSON Schema from it, and
 * types follow from it. The kinds of expert bring their own options.
 */
import { z } from 'zod';
import { type PolicyChoice, policyPart } from '../../deciding/routing/policy-choice.ts';
import { IDENTIFIERS } from '../../deciding/text/identifiers/span.ts';
import { duration } from '../experts/option-types.ts';
import { type Alias, type AliasInput, aliasesField, aliasOf, checkNames } from './aliases.ts';
import { type Catalogue, SHIPPED } from './catalogue.ts';
import { type ExpertConfig, type ExpertInput, expertId, expertList } from './expert-fields.ts';
import { apiKey, checkKeys, limitsStore, team } from './key-fields.ts';
import { START_TIMEOUT_MS, startLimit } from './start-fields.ts';

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
  shadow: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Router model file that decides a sample of the requests as well, without effect: where it would send prompts elsewhere is counted. It need not exist yet: a retraining writes it',
    )
    .meta({ examples: ['./next.router.safetensors'] }),
  cluster_names: z
    .record(
      z.string().regex(/^\d+$/, "a cluster's number"),
      z.string().trim().min(1).max(100, 'at most 100 characters'),
    )
    .default({})
    .describe('Names for clusters of the router model, by number, in place of those that training gave them')
    .meta({ examples: [{ 12: 'Tax law' }] }),
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
  repeated_lines: z
    .boolean()
    .default(true)
    .describe(
      "Whether lines that stand in many different messages of a caller, and ask for nothing, are read as its program's: context, at less weight than what differs",
    )
    .meta({ examples: [false] }),
  side_requests: expertId
    .optional()
    .describe(
      "Expert for what programs ask about conversations, such as titles, tags and summaries; without it they are routed by the last person's turn",
    )
    .meta({ examples: ['one'] }),
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
      prompts: z
        .boolean()
        .default(false)
        .describe(
          'Keeps what was read of the last user turn as well, without identifiers where deidentify is on, so that the router model can be retrained from the dashboard',
        ),
    })
    .optional()
    .describe(
      'Keeps a line per decision and feedback (`POST /v1/feedback`) for `expert-router learn --from`: vector, cluster, choice, times and tokens, no prompt (unless prompts is true) and no answer. A change takes effect with a restart; nothing is kept when absent',
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
  model_in_answers: z
    .enum(['served', 'asked'])
    .default('served')
    .describe(
      "What answers call their model: as the expert's server does, byte for byte, or as the client asked for it, which some clients need to send an answer's thinking back",
    )
    .meta({ examples: ['asked'] }),
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
  reports: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder whose HTML reports, such as those of load tests and simulations, the dashboard lists and shows',
    )
    .meta({ examples: ['./reports'] }),
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

/** The schema of a config that chooses from a catalogue. @throws UserError for a kind whose options do not fit in */
export function configSchema({ kinds, policies }: Catalogue = SHIPPED) {
  const all = { ...fields, aliases: aliasesField(policies), experts: expertList(kinds) };
  const { fields: policyFields, check, chosen } = policyPart(policies, 'spill', Object.keys(all));
  return z
    .strictObject({ ...all, ...policyFields })
    .superRefine(check)
    .superRefine(checkNames)
    .superRefine(checkOrigins)
    .superRefine(checkKeys)
    .superRefine(checkStarts)
    .transform((config) => ({
      ...config,
      policy: chosen(config),
      aliases: Object.fromEntries(
        Object.entries(config.aliases).map(([name, written]) => [name, aliasOf(written as AliasInput)]),
      ),
    }));
}

/** Any page could use what needs no key. */
function checkOrigins(config: unknown, context: z.RefinementCtx): void {
  const { allowed_origins: origins, keys } = config as { allowed_origins: string[]; keys: unknown[] };
  const at = origins.indexOf('*');
  if (at < 0 || keys.length > 0) return;
  const message = 'any page could use this router: set keys, or list the origins that may';
  context.addIssue({ code: 'custom', path: ['allowed_origins', at], message });
}

/** A request is held for a start, and then has to be answered. */
function checkStarts(config: unknown, context: z.RefinementCtx): void {
  const { experts, request_timeout: most } = config as { experts: ExpertConfig[]; request_timeout: number };
  experts.forEach((expert, index) => {
    const limit = startLimit(expert);
    if (limit === undefined || limit <= most) return;
    const own = expert.start_timeout === undefined ? `${START_TIMEOUT_MS / 60_000}m when absent` : 'this';
    const message = `at most request_timeout (${most / 1000} s), within which a request is answered; ${own} is longer`;
    context.addIssue({ code: 'custom', path: ['experts', index, 'start_timeout'], message });
  });
}

export interface Config extends Omit<z.infer<ReturnType<typeof configSchema>>, 'experts' | 'aliases'> {
  readonly experts: readonly ExpertConfig[];
  readonly aliases: Readonly<Record<string, Alias>>;
  readonly policy: PolicyChoice;
}

/** A config as people write it, as an object: the fields of a config file, by the same names (docs/config.md). */
export interface ConfigInput extends z.input<z.ZodObject<typeof fields>> {
  readonly experts: readonly ExpertInput[];
  readonly aliases?: Readonly<Record<string, AliasInput>> | undefined;
  /** A policy's name, or its name and options. */
  readonly policy?: string | PolicyChoice | undefined;
}

/** JSON Schema of the file as people write it (durations are text, defaults may be left out). */
export function configJsonSchema(catalogue: Catalogue = SHIPPED): unknown {
  return {
    ...z.toJSONSchema(configSchema(catalogue), { io: 'input' }),
    title: 'Expert Router configuration',
  };
}
