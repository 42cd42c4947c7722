/** A double of a Kubernetes API server that knows EndpointSlices alone, and is strict about how they are asked for. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authority } from './certificates.ts';

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: {
    readonly ready?: boolean;
    readonly serving?: boolean;
    readonly terminating?: boolean;
  };
  readonly targetRef?: { readonly kind: 'Pod'; readonly uid: string };
}

export interface ApiDouble {
  readonly environment: Readonly<Record<string, string>>;
  /** The folder with token, authority and namespace. */
  readonly credentials: string;
  /** What was asked, by kind. */
  readonly asked: { lists: number; pages: number; watches: string[]; refused: string[] };
  /** Adds or replaces a slice. */
  put(name: string, port: number, endpoints: readonly Endpoint[], service?: string): void;
  drop(name: string): void;
  bookmark(): void;
  /** Forgets history: a watch from any version so far gets 410, as an event where it runs already. */
  compact(): void;
  /** Ends all watches, as a server does after a while. */
  endWatches(): void;
  /** From now on this token alone is taken. */
  rotate(token: string): void;
  close(): Promise<void>;
}

interface Item {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels: Record<string, string>;
  };
  readonly [field: string]: unknown;
}

const PATH = '/apis/discovery.k8s.io/v1/namespaces/llm/endpointslices';
const SERVICE = 'kubernetes.io/service-name';

/** @param pageSize items of a page, whatever the client asks for */
export async function apiServer(authority: Authority, { pageSize = 500 } = {}): Promise<ApiDouble> {
  const items = new Map<string, Item>();
  const events: { readonly version: number; readonly type: string; readonly object: Item }[] = [];
  const watches = new Map<ServerResponse, string>();
  const asked: ApiDouble['asked'] = { lists: 0, pages: 0, watches: [], refused: [] };
  let version = 1000;
  let oldest = 0;
  let token = 'first-token';
  const pair = authority.issue('api-server');
  const credentials = mkdtempSync(join(tmpdir(), 'service-account-'));
  writeFileSync(join(credentials, 'token'), `${token}\n`);
  writeFileSync(join(credentials, 'namespace'), 'llm');
  writeFileSync(join(credentials, 'ca.crt'), readFileSync(authority.ca));

  const status = (code: number, message: string): object => ({
    kind: 'Status',
    apiVersion: 'v1',
    code,
    message,
  });
  const refuse = (response: ServerResponse, code: number, message: string): void => {
    asked.refused.push(`${code} ${message}`);
    response
      .writeHead(code, { 'content-type': 'application/json' })
      .end(JSON.stringify(status(code, message)));
  };
  const line = (response: ServerResponse, type: string, object: object): void =>
    void response.write(`${JSON.stringify({ type, object })}\n`);
  const tell = (type: string, object: Item): void => {
    events.push({ version, type, object });
    for (const [response, service] of watches)
      if (object.metadata.labels[SERVICE] === service) line(response, type, object);
  };

  const end = (response: ServerResponse): void => {
    watches.delete(response);
    response.end();
  };
  const watch = (response: ServerResponse, query: URLSearchParams, service: string): void => {
    const from = Number(query.get('resourceVersion'));
    const whole = query.get('timeoutSeconds') !== null && query.get('allowWatchBookmarks') === 'true';
    if (!whole || !(from > 0)) {
      refuse(response, 400, 'a watch needs a version, a timeout and bookmarks');
      return;
    }
    asked.watches.push(`${from}`);
    if (from < oldest) {
      refuse(response, 410, 'too old resource version');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for (const { version: of, type, object } of events)
      if (of > from && object.metadata.labels[SERVICE] === service) line(response, type, object);
    watches.set(response, service);
    response.on('close', () => watches.delete(response));
  };
  const list = (response: ServerResponse, query: URLSearchParams, service: string): void => {
    const from = Number(query.get('continue') ?? 0);
    if (from === 0) asked.lists += 1;
    asked.pages += 1;
    const all = [...items.values()].filter(({ metadata }) => metadata.labels[SERVICE] === service);
    const next = from + pageSize < all.length ? { continue: `${from + pageSize}` } : {};
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        kind: 'EndpointSliceList',
        metadata: { resourceVersion: `${version}`, ...next },
        items: all.slice(from, from + pageSize),
      }),
    );
  };
  const keyed = { cert: readFileSync(pair.cert), key: readFileSync(pair.key) };
  const server = createServer(keyed, (request, response) => {
    const { pathname, searchParams: query } = new URL(request.url!, 'https://api');
    if (request.headers.authorization !== `Bearer ${token}`) return refuse(response, 401, 'Unauthorized');
    if (request.method !== 'GET' || pathname !== PATH) return refuse(response, 404, `no ${pathname}`);
    const [label, service] = (query.get('labelSelector') ?? '').split('=');
    if (label !== SERVICE || !service) return refuse(response, 400, 'name the service');
    if (query.get('watch') === '1') watch(response, query, service);
    else list(response, query, service);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    environment: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: `${(server.address() as AddressInfo).port}`,
    },
    credentials,
    asked,
    put: (name, port, endpoints, service = 'vllm') => {
      version += 1;
      const item: Item = {
        kind: 'EndpointSlice',
        metadata: { name, resourceVersion: `${version}`, labels: { [SERVICE]: service } },
        addressType: 'IPv4',
        endpoints,
        ports: [{ name: 'http', port, protocol: 'TCP' }],
      };
      const type = items.has(name) ? 'MODIFIED' : 'ADDED';
      items.set(name, item);
      tell(type, item);
    },
    drop: (name) => {
      const item = items.get(name)!;
      version += 1;
      items.delete(name);
      tell('DELETED', { ...item, metadata: { ...item.metadata, resourceVersion: `${version}` } });
    },
    bookmark: () => {
      version += 1;
      for (const response of watches.keys())
        line(response, 'BOOKMARK', { kind: 'EndpointSlice', metadata: { resourceVersion: `${version}` } });
    },
    compact: () => {
      version += 1;
      oldest = version;
      events.length = 0;
      for (const response of watches.keys()) {
        line(response, 'ERROR', status(410, 'too old resource version'));
        end(response);
      }
    },
    endWatches: () => {
      for (const response of watches.keys()) end(response);
    },
    rotate: (next) => {
      token = next;
      writeFileSync(join(credentials, 'token'), next);
    },
    close: () =>
      new Promise((resolve) => {
        rmSync(credentials, { recursive: true });
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
