/**
 * A whole Envoy from a config: it asks the external processor for every request, routes by the header that this sets,
 * and carries the bytes. Pure.
 */
import { UserError } from '../../core/errors.ts';
import type { AnyKind } from '../config/catalogue.ts';
import { type ExpertConfig, kindOptions } from '../config/expert-fields.ts';
import type { Config } from '../config/schema.ts';
import { dnsOf } from '../experts/discover-option.ts';
import type { Upstream } from '../experts/kind.ts';
import { ENDPOINT_HEADER, ENDPOINT_METADATA } from '../extproc/answers.ts';
import { reservedHeaders } from '../extproc/headers.ts';
import { DETAILS_ATTRIBUTE } from '../extproc/outcome.ts';
import {
  certificate,
  clusterOf,
  EXT_PROC_CLUSTER,
  expertCluster,
  extProcCluster,
  type HostPort,
  socketAddress,
} from './clusters.ts';
import { localReplies } from './replies.ts';
import { seconds, typed } from './values.ts';

export interface BootstrapOptions {
  readonly listen: HostPort;
  /** Where the external processor is. */
  readonly extProc: HostPort;
  readonly adminPort: number;
  /** How Envoy shows bodies: piece by piece, or whole, which it then holds in memory. */
  readonly body: 'full-duplex' | 'buffered';
}

export interface Bootstrap {
  readonly envoy: object;
  /** Ids of experts that Envoy cannot ask. */
  readonly leftOut: readonly string[];
}

/** Beyond the processor's own deadline, so that its refusal comes first. */
const GRACE_MS = 5_000;
const MB = 1024 * 1024;

/** @throws UserError where Envoy can ask none of the experts, or servers of one expert differ where they must not */
export function bootstrap(config: Config, kinds: readonly AnyKind[], options: BootstrapOptions): Bootstrap {
  const experts = config.experts.map((expert) => [expert, upstreamOf(expert, kinds)] as const);
  const asked = experts.flatMap(([{ id }, upstream]) => (upstream === null ? [] : [{ id, upstream }]));
  if (asked.length === 0)
    throw new UserError(
      'Envoy can ask none of these experts: it needs servers with an address, of the kind `openai`.',
    );
  const { endpoints } = config.extproc;
  const envoy = {
    admin: { address: socketAddress({ host: '127.0.0.1', port: options.adminPort }) },
    static_resources: {
      listeners: [listener(config, asked, options)],
      clusters: [
        ...asked.map(({ id, upstream }) => expertCluster(id, upstream, endpoints)),
        extProcCluster(options.extProc),
      ],
    },
    overload_manager: connectionLimit(config),
  };
  return { envoy, leftOut: experts.flatMap(([{ id }, upstream]) => (upstream === null ? [id] : [])) };
}

interface Asked {
  readonly id: string;
  readonly upstream: Upstream;
}

function upstreamOf(expert: ExpertConfig, kinds: readonly AnyKind[]): Upstream | null {
  const kind = kinds.find((one) => one.kind === expert.kind)!;
  const options = kindOptions(expert);
  const discover = kind.discover?.(options) ?? null;
  // Envoy looks names up itself; what a file lists it cannot follow.
  const named = discover && dnsOf(discover);
  if (discover !== null && named === null) return null;
  const asked = named === null ? options : kind.at!(options, `http://${named.host}:${named.port}`);
  const upstream: Upstream | null = kind.upstream?.(asked) ?? null;
  if (upstream === null) return null;
  const alike = new Set(upstream.servers.map(({ url }) => `${url.protocol} ${url.pathname}`));
  if (alike.size > 1)
    throw new UserError(
      `Expert '${expert.id}': its replicas must be alike in scheme and path, since a request may pass from one to another.`,
    );
  return upstream;
}

function listener(config: Config, asked: readonly Asked[], { listen, body }: BootstrapOptions): object {
  const { tls } = config;
  return {
    name: 'clients',
    address: socketAddress(listen),
    // What a request may be held for: to be shown whole, or to be sent again.
    per_connection_buffer_limit_bytes:
      body === 'buffered' ? Math.ceil(config.max_body_mb * MB) : Math.min(config.max_body_mb, 1) * MB,
    filter_chains: [
      {
        ...(tls === undefined ? {} : { transport_socket: clientTls(tls) }),
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: typed(
              'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              connectionManager(config, asked, body),
            ),
          },
        ],
      },
    ],
  };
}

function connectionManager(config: Config, asked: readonly Asked[], body: BootstrapOptions['body']): object {
  const { expert_headers: expert, model_headers: model } = config.extproc;
  return {
    stat_prefix: 'experts',
    use_remote_address: true,
    normalize_path: true,
    request_headers_timeout: '20s',
    request_timeout: seconds(config.extproc.deadline + GRACE_MS),
    stream_idle_timeout: seconds(config.request_timeout),
    // Before anything reads them: no client may say who is to be asked.
    early_header_mutation_extensions: [
      {
        name: 'envoy.http.early_header_mutation.header_mutation',
        typed_config: typed('envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
          mutations: reservedHeaders({ expert, model }).map((name) => ({ remove: name })),
        }),
      },
    ],
    http_filters: [
      { name: 'envoy.filters.http.ext_proc', typed_config: extProcFilter(config, body) },
      {
        name: 'envoy.filters.http.router',
        typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}),
      },
    ],
    local_reply_config: localReplies(),
    access_log: [accessLog(config)],
    route_config: {
      name: 'experts',
      virtual_hosts: [{ name: 'experts', domains: ['*'], routes: routes(config, asked) }],
    },
  };
}

function extProcFilter({ extproc }: Config, body: BootstrapOptions['body']): object {
  return typed('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    grpc_service: { envoy_grpc: { cluster_name: EXT_PROC_CLUSTER } },
    message_timeout: seconds(extproc.deadline + GRACE_MS),
    // Without a decision nothing passes.
    failure_mode_allow: false,
    status_on_error: { code: 503 },
    response_attributes: [DETAILS_ATTRIBUTE],
    metadata_options: { receiving_namespaces: { untyped: [ENDPOINT_METADATA] } },
    // For keys with limits, whose answers are read for what they are charged.
    allow_mode_override: true,
    processing_mode: {
      request_header_mode: 'SEND',
      request_body_mode: body === 'buffered' ? 'BUFFERED' : 'FULL_DUPLEX_STREAMED',
      request_trailer_mode: body === 'buffered' ? 'SKIP' : 'SEND',
      response_header_mode: 'SEND',
      // Tokens pass Envoy alone.
      response_body_mode: 'NONE',
      // Keeps the stream open until the answer has ended, which is what the lease lasts for.
      response_trailer_mode: 'SEND',
    },
  });
}

function routes({ extproc, request_timeout: total }: Config, asked: readonly Asked[]): readonly object[] {
  const [header] = extproc.expert_headers;
  return [
    ...asked.map(({ id, upstream }) => ({
      match: { prefix: '/', headers: [{ name: header, string_match: { exact: id } }] },
      route: {
        cluster: clusterOf(id),
        timeout: seconds(total),
        idle_timeout: seconds(upstream.silence),
        auto_host_rewrite: true,
        retry_policy: {
          // Nothing has been processed then.
          retry_on: 'connect-failure,refused-stream,reset-before-request,retriable-status-codes',
          retriable_status_codes: upstream.servers.length > 1 ? [503] : [],
          num_retries: Math.min(2, Math.max(1, upstream.servers.length - 1)),
          retry_host_predicate: [
            {
              name: 'envoy.retry_host_predicates.previous_hosts',
              typed_config: typed('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', {}),
            },
          ],
          host_selection_retry_max_attempts: 3,
        },
      },
    })),
    // Every request is here before the choice, and stays where there was none.
    {
      match: { prefix: '/' },
      direct_response: {
        status: 503,
        body: {
          inline_string: `${JSON.stringify({
            type: 'error',
            error: {
              message: 'No expert was chosen.',
              type: 'api_error',
              param: null,
              code: 'internal_error',
            },
          })}\n`,
        },
      },
    },
  ];
}

/** One line of JSON a request, without a word of what was asked. */
function accessLog({ extproc }: Config): object {
  const header = (name: string): string => `%REQ(${name})%`;
  const told = (name: string): string => `%RESP(x-expert-router-${name})%`;
  return {
    name: 'envoy.access_loggers.stdout',
    typed_config: typed('envoy.extensions.access_loggers.stream.v3.StdoutAccessLog', {
      log_format: {
        json_format: {
          time: '%START_TIME%',
          trace: told('trace-id'),
          method: '%REQ(:METHOD)%',
          path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
          status: '%RESPONSE_CODE%',
          flags: '%RESPONSE_FLAGS%',
          details: '%RESPONSE_CODE_DETAILS%',
          expert: header(extproc.expert_headers[0]!),
          cluster: told('cluster'),
          reason: told('reason'),
          confidence: told('confidence'),
          endpoints: `%DYNAMIC_METADATA(${ENDPOINT_METADATA}:${ENDPOINT_HEADER})%`,
          upstream: '%UPSTREAM_HOST%',
          tries: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
          bytes_in: '%BYTES_RECEIVED%',
          bytes_out: '%BYTES_SENT%',
          first_ms: '%RESPONSE_DURATION%',
          total_ms: '%DURATION%',
        },
      },
    }),
  };
}

function clientTls({ cert, key, client_ca: ca }: NonNullable<Config['tls']>): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      ...(ca === undefined ? {} : { require_client_certificate: true }),
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        tls_certificates: [certificate(cert, key)],
        ...(ca === undefined ? {} : { validation_context: { trusted_ca: { filename: ca } } }),
      },
    }),
  };
}

function connectionLimit({ max_connections: most }: Config): object {
  const name = 'envoy.resource_monitors.global_downstream_max_connections';
  return {
    resource_monitors: [
      {
        name,
        typed_config: typed(
          'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
          { max_active_downstream_connections: most },
        ),
      },
    ],
  };
}
