/** How a config says where the replicas of an expert are found, where it does not list them. */
import { z } from 'zod';
import { duration } from './option-types.ts';

const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i, 'a DNS name');
const portNumber = z.int().min(1).max(65_535);

const dns = z.strictObject({
  dns: name
    .describe('DNS name, each of whose addresses is a replica; asked again every `interval`')
    .meta({ examples: ['vllm-code.llm.svc.cluster.local'] }),
  port: portNumber.describe('Port of each').meta({ examples: [8000] }),
  interval: duration.prefault('5s').describe('How often the name is looked up'),
});

const file = z.strictObject({
  file: z
    .string()
    .min(1)
    .describe(
      'File with a list of addresses (`host:port`, a URL, or `{ url, weight }`) in JSON or YAML, followed as it changes; replace it by renaming',
    )
    .meta({ examples: ['./replicas/code.yaml'] }),
});

const kubernetes = z.strictObject({
  kubernetes: z
    .strictObject({
      service: name
        .optional()
        .describe('A Service, whose EndpointSlices are watched')
        .meta({ examples: ['vllm-code'] }),
      pool: name
        .optional()
        .describe('An InferencePool in place of a Service: its pods are watched by its selector')
        .meta({ examples: ['vllm-code'] }),
      namespace: name
        .optional()
        .describe("Its namespace; the pod's own when absent")
        .meta({ examples: ['llm'] }),
      port: z
        .union([portNumber, z.string().min(1).max(63)])
        .optional()
        .describe(
          "Number or name of the pods' port; the only one of the EndpointSlices, or all of the pool, when absent",
        )
        .meta({ examples: ['http'] }),
      credentials: z
        .string()
        .min(1)
        .default('/var/run/secrets/kubernetes.io/serviceaccount')
        .describe('Folder with `token`, `ca.crt` and `namespace`, read again as they change'),
    })
    .refine(({ service, pool }) => (service === undefined) !== (pool === undefined), {
      error: 'name a `service` or a `pool`, one of the two',
    })
    .refine(({ pool, port }) => pool === undefined || typeof port !== 'string', {
      error: "an InferencePool's ports have no names: give the number in `port`",
    })
    .describe(
      'Pods behind a Service or in an InferencePool, through the API server that KUBERNETES_SERVICE_HOST and _PORT name',
    ),
});

export const discoverOption = z
  .union([dns, file, kubernetes])
  .optional()
  .describe(
    'Where its replicas are found while it serves, in place of `url`: they come and go without a reload. They are asked by http unless a file says https',
  )
  .meta({ examples: [{ dns: 'vllm-code', port: 8000 }, { kubernetes: { service: 'vllm-code' } }] });

export type Discover = NonNullable<z.infer<typeof discoverOption>>;

/** The name that a proxy can look up in our place, and its port; null where there is none. */
export function dnsOf(discover: Discover): { readonly host: string; readonly port: number } | null {
  if ('dns' in discover) return { host: discover.dns, port: discover.port };
  if ('file' in discover) return null;
  const { service, namespace, port } = discover.kubernetes;
  if (service === undefined || typeof port !== 'number') return null;
  return { host: namespace === undefined ? service : `${service}.${namespace}.svc`, port };
}
