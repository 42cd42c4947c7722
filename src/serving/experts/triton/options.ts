/** What a config may say of an expert on a Triton server. */
import { z } from 'zod';
import { proxyOption } from '../access.ts';
import { duration } from '../option-types.ts';
import { DIALECTS } from './dialect.ts';

const address = z.url({
  protocol: /^(grpcs?|https?)$/,
  error: 'an address with its protocol, such as grpc://gpu1:8001 or http://gpu1:8000',
});

const weighted = z.strictObject({
  url: address.describe('Address of one replica').meta({ examples: ['grpc://gpu2:8001'] }),
  weight: z.number().positive().default(1).describe('Share of the work relative to the other replicas'),
});

export const tritonOptions = z.strictObject({
  url: z
    .union([address, z.array(z.union([address, weighted])).min(1, 'at least one address')])
    .describe(
      'Address of the server, or a list of them for replicas; grpc:// or grpcs:// (port 8001) speaks gRPC, http:// or https:// (port 8000) HTTP',
    )
    .meta({ examples: ['grpc://gpu1:8001'] }),
  model: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Name of the model in its repository, such as ensemble or tensorrt_llm; by default the only one that is ready',
    )
    .meta({ examples: ['ensemble'] }),
  dialect: z
    .enum(DIALECTS)
    .optional()
    .describe(
      'ensemble (also tensorrt_llm_bls), core (token ids), llmapi, or vllm; by default seen from the metadata',
    ),
  tokenizer: z
    .string()
    .min(1)
    .optional()
    .describe("Folder with the model's tokenizer_config.json and, for the dialect core, tokenizer.json")
    .meta({ examples: ['./tokenizer'] }),
  chat_template: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A Jinja file, a template itself, or 'plain' where the server applies its own; by default the tokenizer's",
    )
    .meta({ examples: ['./chat_template.jinja'] }),
  output: z
    .enum(['auto', 'incremental', 'cumulative'])
    .default('auto')
    .describe('Whether each response of a stream holds what is new or all so far; auto knows or finds out'),
  max_tokens: z.int().min(1).default(1024).describe('For requests that name no limit'),
  load: z
    .boolean()
    .default(false)
    .describe(
      'Loads the model through the repository API at the start, and again after the server restarted',
    ),
  metrics_url: z
    .union([z.url({ protocol: /^https?$/, error: 'an http:// or https:// address' }), z.literal(false)])
    .optional()
    .describe("The server's Prometheus page; by default port 8002 of the same host; false reads none")
    .meta({ examples: ['http://gpu1:8002/metrics'] }),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Sent with every request, for a proxy in front of the server')
    .meta({ examples: [{ 'x-tenant': 'a' }] }),
  restricted_api: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Key and value of --grpc-restricted-protocol or --http-restricted-api. Write ${NAME} to take the value from the environment',
    )
    .meta({ examples: [{ 'admin-key': '${ADMIN_KEY}' }] }),
  tls_ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File with the certificates of the authority that signed the server's, for grpcs:// and https://; by default those the system knows",
    )
    .meta({ examples: ['./ca.pem'] }),
  proxy: proxyOption,
  connect_timeout: duration.prefault('5s').describe('Longest wait for the connection'),
  header_timeout: duration.prefault('5m').describe('Longest wait for the first response'),
  idle_timeout: duration.prefault('2m').describe('Longest silence within an answer'),
});

export type TritonOptions = z.infer<typeof tritonOptions>;

/** Each address with its weight. */
export function replicasOf(
  options: TritonOptions,
): readonly { readonly url: string; readonly weight: number }[] {
  const list = typeof options.url === 'string' ? [options.url] : options.url;
  return list.map((one) => (typeof one === 'string' ? { url: one, weight: 1 } : one));
}

/** Where the load is read, or null. Triton listens on 8000, 8001 and 8002: HTTP, gRPC, metrics. */
export function metricsUrl(server: URL, chosen: string | false | undefined): string | null {
  if (chosen === false) return null;
  if (chosen !== undefined) return chosen;
  const grpc = server.protocol.startsWith('grpc');
  const port = server.port === '' ? 8002 : Number(server.port) + (grpc ? 1 : 2);
  return `http://${server.hostname}:${port}/metrics`;
}
