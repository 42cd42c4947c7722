/** What a config may say of an expert that speaks OpenAI's API over HTTP. */
import { z } from 'zod';
import { UserError } from '../../../core/errors.ts';
import { DIALECTS, type DialectId } from '../../dialects/index.ts';
import { accessOptions, apiKey, baseAddress, proxyOption } from '../access.ts';
import { discoverOption } from '../discover-option.ts';
import { capabilities, duration } from '../option-types.ts';
import { testRequest } from '../prove.ts';
import { trustOptions } from '../trust.ts';
import { QUIRKS_NAMES } from './quirks.ts';

const DIALECT_IDS = DIALECTS.map(({ id }) => id) as [DialectId, ...DialectId[]];

const address = z.url({ protocol: /^https?$/, error: 'an http:// or https:// address' });

const metricsUrl = z
  .union([address, z.literal(false)])
  .optional()
  .describe(
    "Where the engine's metrics are; the engine's usual page when absent and url is http; false reads none",
  )
  .meta({ examples: ['http://gpu1:8000/metrics'] });

const weighted = z.strictObject({
  url: baseAddress.describe('Address of one replica').meta({ examples: ['http://gpu2:8000'] }),
  metrics_url: metricsUrl,
  weight: z.number().positive().default(1).describe('Share of the work relative to the other replicas'),
});

export const openaiOptions = z.strictObject({
  url: z
    .union([baseAddress, z.array(z.union([baseAddress, weighted])).min(1, 'at least one address')])
    .optional()
    .describe(
      "Base address, or a list of them for replicas; '/v1' is added to one without a path. Needed unless `discover` finds them. Example: http://gpu1:8000",
    )
    .meta({ examples: ['http://gpu1:8000', ['http://gpu1:8000', { url: 'http://gpu2:8000', weight: 2 }]] }),
  discover: discoverOption,
  model: z
    .string()
    .min(1)
    .optional()
    .describe("The model name this server knows; when absent, the only one it serves, else the expert's id")
    .meta({ examples: ['Qwen/Qwen2.5-Coder-7B-Instruct'] }),
  lora: z
    .strictObject({
      path: z
        .string()
        .min(1)
        .optional()
        .describe(
          'Where the engine finds the adapter: a folder on its machine, or a name that it can fetch. Then it is loaded by request when it is missing (vLLM needs VLLM_ALLOW_RUNTIME_LORA_UPDATING=True); the engine was started with it when absent',
        )
        .meta({ examples: ['/adapters/sql'] }),
      load_time: duration
        .prefault('1s')
        .describe('What loading it into GPU memory is taken for until that has been measured'),
    })
    .optional()
    .describe(
      'For an expert whose `model` is a LoRA adapter of a base that others share. Needed for `path` alone: an adapter that the engine lists is known as one',
    )
    .meta({ examples: [{ path: '/adapters/sql' }] }),
  api_key: apiKey
    .optional()
    .describe('Sent as `auth` says. Write ${NAME} to take it from the environment')
    .meta({ examples: ['${GPU_KEY}'] }),
  ...accessOptions,
  capabilities: capabilities
    .default(['chat', 'completions'])
    .describe(
      'What its model answers. One that answers neither chat nor completions serves no cluster: embeddings and rerank go by name, alias, or to the first that has them',
    )
    .meta({ examples: [['embeddings']] }),
  quirks: z
    .enum(QUIRKS_NAMES)
    .optional()
    .describe(
      "The engine whose differences from OpenAI's API are evened out; found by asking it when absent",
    ),
  dialect: z.enum(QUIRKS_NAMES).optional().describe('The former name of `quirks`, which goes before it'),
  dialects: z
    .array(z.enum(DIALECT_IDS))
    .optional()
    .describe(
      'Dialects that its server speaks beside chat completions and completions; those that its engine is known to speak when absent. In any other, requests are translated',
    )
    .meta({ examples: [['openai-responses', 'anthropic-messages']] }),
  max_tokens: z
    .int()
    .positive()
    .optional()
    .describe("Longest answer where the request names no limit; the server's own default when absent")
    .meta({ examples: [1024] }),
  metrics_url: metricsUrl,
  test_request: testRequest,
  proxy: proxyOption,
  ...trustOptions,
  connect_timeout: duration.prefault('5s').describe('Longest wait for the connection'),
  header_timeout: duration.prefault('5m').describe('Longest wait for the first byte of the answer'),
  idle_timeout: duration.prefault('2m').describe('Longest silence within an answer'),
});

export type OpenAiOptions = z.infer<typeof openaiOptions>;

export interface OpenAiReplica {
  readonly url: string;
  readonly weight: number;
  readonly metrics_url?: string | false | undefined;
}

/** An expert has its addresses from one place. */
export function addressObjection({
  url,
  discover,
  metrics_url,
}: OpenAiOptions): { readonly option: string; readonly message: string } | null {
  if (url === undefined && discover === undefined)
    return { option: 'url', message: 'the address of its server is missing; or say how to `discover` it' };
  if (discover === undefined) return null;
  if (url !== undefined)
    return { option: 'discover', message: '`url` lists its replicas already; leave out one of the two' };
  if (typeof metrics_url === 'string')
    return {
      option: 'metrics_url',
      message: 'one page cannot stand for replicas that are found; leave it out',
    };
  return null;
}

/** Each address with its weight and metrics. @throws UserError if several addresses share one metrics page */
export function replicasOf({ url, metrics_url }: OpenAiOptions): readonly OpenAiReplica[] {
  const list = typeof url === 'string' ? [url] : (url ?? []);
  if (list.length > 1 && typeof metrics_url === 'string') {
    throw new UserError(
      `metrics_url ${metrics_url} stands for ${list.length} addresses; write it beside each: url: [{ url: …, metrics_url: … }].`,
    );
  }
  return list.map((one) =>
    typeof one === 'string' ? { url: one, weight: 1, metrics_url } : { metrics_url, ...one },
  );
}

/** Whether the config puts a proxy before it, through which nobody asks in our place. */
export function isProxied({ proxy = 'none' }: OpenAiOptions): boolean {
  return proxy !== 'none';
}
