/** The clusters of the bootstrap: one an expert, with its replicas, and the one where the choice is made. */
import { isIP } from 'node:net';
import type { Upstream } from '../experts/kind.ts';
import { ENDPOINT_HEADER, ENDPOINT_METADATA } from '../extproc/answers.ts';
import { seconds, typed } from './values.ts';

/** Where the system keeps the authorities that it trusts, on Debian and its like, and in Envoy's own images. */
const SYSTEM_CA = '/etc/ssl/certs/ca-certificates.crt';
/** How many may be with an expert is counted where the choice is made; these only keep Envoy's own limits away. */
const NO_LIMIT = 1_000_000;
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export const clusterOf = (expert: string): string => `expert_${expert}`;
export const EXT_PROC_CLUSTER = 'expert_router';

/** @param endpoints whether requests name the replicas they may go to */
export function expertCluster(id: string, upstream: Upstream, endpoints: boolean): object {
  const { servers, connectTimeout, trust } = upstream;
  const tls = servers.some(({ url }) => url.protocol === 'https:');
  return {
    name: clusterOf(id),
    ...discovery(servers.map(({ url }) => hostOf(url))),
    connect_timeout: seconds(connectTimeout),
    ...(endpoints ? named() : { lb_policy: 'LEAST_REQUEST' }),
    circuit_breakers: { thresholds: [{ ...limits(), retry_budget: { budget_percent: { value: 20 } } }] },
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        explicit_http_config: { http_protocol_options: {} },
        ...(tls ? { upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true } } : {}),
      }),
    },
    ...(tls ? { transport_socket: tlsSocket(trust) } : {}),
    load_assignment: {
      cluster_name: clusterOf(id),
      endpoints: [
        {
          lb_endpoints: servers.map(({ url, weight }) => ({
            endpoint: { hostname: url.host, address: socketAddress(addressOf(url)) },
            // Envoy's weights are whole.
            load_balancing_weight: Math.max(1, Math.round(weight * 100)),
          })),
        },
      ],
    },
  };
}

/** One stream a request, for as long as it takes; a process that is gone is noticed. */
export function extProcCluster(address: HostPort): object {
  return {
    name: EXT_PROC_CLUSTER,
    ...discovery([address.host]),
    connect_timeout: '2s',
    lb_policy: 'LEAST_REQUEST',
    circuit_breakers: { thresholds: [limits()] },
    health_checks: [
      {
        timeout: '2s',
        interval: '2s',
        unhealthy_threshold: 2,
        healthy_threshold: 1,
        no_traffic_interval: '2s',
        grpc_health_check: { service_name: 'readiness' },
      },
    ],
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '10s', timeout: '5s' } },
        },
      }),
    },
    load_assignment: {
      cluster_name: EXT_PROC_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(address) } }] }],
    },
  };
}

/** The replica that a request names, the next of its list on a retry, and any where none of them is there. */
function named(): object {
  const policy = 'envoy.load_balancing_policies';
  const fallback = 'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest';
  return {
    load_balancing_policy: {
      policies: [
        {
          typed_extension_config: {
            name: `${policy}.override_host`,
            typed_config: typed('envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost', {
              override_host_sources: [
                { header: ENDPOINT_HEADER },
                { metadata: { key: ENDPOINT_METADATA, path: [{ key: ENDPOINT_HEADER }] } },
              ],
              fallback_policy: {
                policies: [
                  {
                    typed_extension_config: {
                      name: `${policy}.least_request`,
                      typed_config: typed(fallback, {}),
                    },
                  },
                ],
              },
            }),
          },
        },
      ],
    },
  };
}

function limits(): object {
  return {
    max_connections: NO_LIMIT,
    max_pending_requests: NO_LIMIT,
    max_requests: NO_LIMIT,
    max_retries: NO_LIMIT,
  };
}

function discovery(hosts: readonly string[]): object {
  return hosts.every((host) => isIP(host) !== 0)
    ? { type: 'STATIC' }
    : { type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' };
}

function tlsSocket({ ca, client_cert, client_key }: Upstream['trust']): object {
  const own = client_cert === undefined ? {} : { tls_certificates: [certificate(client_cert, client_key!)] };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
      common_tls_context: {
        ...own,
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        validation_context: { trusted_ca: { filename: ca ?? SYSTEM_CA } },
      },
    }),
  };
}

export function certificate(cert: string, key: string): object {
  return { certificate_chain: { filename: cert }, private_key: { filename: key } };
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function addressOf(url: URL): HostPort {
  return { host: hostOf(url), port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) };
}

export function socketAddress({ host, port }: HostPort): object {
  return { socket_address: { address: host, port_value: port } };
}
