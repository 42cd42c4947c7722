/** Which headers of requests and answers Envoy is told to set and to remove. Pure. */
import { requestHeadersForExpert, responseHeadersForClient } from '../../core/headers.ts';
import type { ServerRequest } from '../experts/expert.ts';
import { decisionHeaders } from '../front/decision-wire.ts';
import { HOPS_HEADER } from '../front/hops.ts';
import type { Routed } from '../gateway/router.ts';
import { type Change, ENDPOINT_HEADER } from './answers.ts';
import type { Head } from './head.ts';

/** Read by pickers of endpoints or written by our like: a client's copies never pass. */
const NEVER_FROM_CLIENTS = [
  ENDPOINT_HEADER,
  'x-gateway-destination-endpoint-subset',
  'x-gateway-destination-endpoint-served',
  'x-gateway-base-model-name',
];

/** Envoy's own, or of the framing that it sees to. Values of `accept-encoding` are between client and server. */
const ENVOYS_REQUEST =
  /^(?:host|connection|transfer-encoding|content-length|content-type|te|expect|accept-encoding|user-agent|via|x-forwarded-.*|x-envoy-.*)$/;
const ENVOYS_RESPONSE = /^(?:connection|transfer-encoding|trailer|date|server|via|vary|x-envoy-.*)$/;

/** Names as configured. */
export interface OwnHeaders {
  readonly expert: readonly string[];
  readonly model: readonly string[];
}

/** Headers that only this process, or whoever comes after it, may set. */
export function reservedHeaders({ expert, model }: OwnHeaders): readonly string[] {
  return [...new Set([...expert, ...model, ...NEVER_FROM_CLIENTS])];
}

export interface ChosenRequest {
  readonly expert: string;
  readonly sent: ServerRequest;
  readonly endpoints: string | null;
  readonly hops: string;
}

/** Headers cross by the same allow-list as in the gateway, and the expert's key is set in place of the client's. */
export function requestChange(
  head: Head,
  chosen: ChosenRequest,
  own: OwnHeaders,
  forwarded: ReadonlySet<string>,
): Change {
  const { expert, sent, endpoints, hops } = chosen;
  const allowed = requestHeadersForExpert(head.headers, forwarded);
  const strange = Object.keys(head.headers).filter(
    (name) => !(name in allowed) && !ENVOYS_REQUEST.test(name) && name !== HOPS_HEADER,
  );
  const set: Record<string, string> = { ...sent.headers, [HOPS_HEADER]: hops };
  for (const name of own.expert) set[name] = expert;
  for (const name of own.model) set[name] = sent.model;
  if (endpoints !== null) set[ENDPOINT_HEADER] = endpoints;
  if (sent.path !== head.path) set[':path'] = sent.path;
  return { set, remove: [...new Set([...reservedHeaders(own), ...strange])] };
}

export interface Answered {
  readonly traceId: string;
  readonly routed: Routed;
  readonly expert: string;
  readonly tries: number;
}

/** As the gateway's own answers: what the expert may tell, and who it was. */
export function responseChange({ headers }: Head, { traceId, routed, expert, tries }: Answered): Change {
  const allowed = responseHeadersForClient(headers);
  const strange = Object.keys(headers).filter((name) => !(name in allowed) && !ENVOYS_RESPONSE.test(name));
  return {
    set: {
      ...decisionHeaders(routed),
      'x-expert-router-expert': expert,
      'x-expert-router-tries': String(tries),
      'x-expert-router-trace-id': traceId,
    },
    remove: strange,
  };
}
