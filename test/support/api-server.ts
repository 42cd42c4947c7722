/** A double of a Kubernetes API server that knows EndpointSlices, pods and InferencePools, and is strict about how they are asked for. */

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
  /** Adds or replaces any other object. */
  putOther(resource: 'pods' | 'inferencepools', name: string, object: object): void;
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
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/llm/endpointslices';
const OTHERS = {
  pods: '/api/v1/namespaces/llm/pods',
  inferencepools: '/apis/inference.networking.k8s.io/v1/namespaces/llm/inferencepools',
};
const PATHS: readonly string[] = [SLICES, ...Object.values(OTHERS)];
const SERVICE = 'kubernetes.io/service-name';

/** @param pageSize items of a page, whatever the client asks for */
export async function apiServer(authority: Authority, { pageSize = 500 } = {}): Promise<ApiDouble> {
  const items = new Map<string, { readonly path: string; readonly item: Item }>();
  const events: {
    readonly version: number;
    readonly path: string;
    readonly type: string;
    readonly object: Item;
  }[] = [];
  const watches = new Map<ServerResponse, (path: string, item: Item) => boolean>();
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
  const tell = (path: string, type: string, object: Item): void => {
    events.push({ version, path, type, object });
    for (const [response, wants] of watches) if (wants(path, object)) line(response, type, object);
  };
  const put = (path: string, name: string, object: object): void => {
    version += 1;
    const { metadata = {}, ...rest } = object as { metadata?: { labels?: Record<string, string> } };
    const item = {
      ...rest,
      metadata: { labels: {}, ...metadata, name, resourceVersion: `${version}` },
    } as unknown as Item;
    const type = items.has(name) ? 'MODIFIED' : 'ADDED';
    items.set(name, { path, item });
    tell(path, type, item);
  };

  const end = (response: ServerResponse): void => {
    watches.delete(response);
    response.end();
  };
  const watch = (
    response: ServerResponse,
    query: URLSearchParams,
    wants: (path: string, item: Item) => boolean,
  ): void => {
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
    for (const { version: of, path, type, object } of events)
      if (of > from && wants(path, object)) line(response, type, object);
    watches.set(response, wants);
    response.on('close', () => watches.delete(response));
  };
  const list = (
    response: ServerResponse,
    query: URLSearchParams,
    wants: (path: string, item: Item) => boolean,
  ): void => {
    const from = Number(query.get('continue') ?? 0);
    if (from === 0) asked.lists += 1;
    asked.pages += 1;
    const all = [...items.values()].filter(({ path, item }) => wants(path, item)).map(({ item }) => item);
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
    if (request.method !== 'GET' || !PATHS.includes(pathname)) return refuse(response, 404, `no ${pathname}`);
    const labels = (query.get('labelSelector') ?? '').split(',').filter(Boolean);
    const named = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    if (labels.length === 0 && named === undefined) return refuse(response, 400, 'say which');
    const wants = (path: string, { metadata }: Item): boolean =>
      path === pathname &&
      (named === undefined || metadata.name === named) &&
      labels.every((label) => {
        const [key, value] = label.split('=');
        return metadata.labels[key!] === value;
      });
    if (query.get('watch') === '1') watch(response, query, wants);
    else list(response, query, wants);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    environment: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: `${(server.address() as AddressInfo).port}`,
    },
    credentials,
    asked,
    put: (name, port, endpoints, service = 'vllm') =>
      put(SLICES, name, {
        kind: 'EndpointSlice',
        metadata: { labels: { [SERVICE]: service } },
        addressType: 'IPv4',
        endpoints,
        ports: [{ name: 'http', port, protocol: 'TCP' }],
      }),
    putOther: (resource, name, object) => put(OTHERS[resource], name, object),
    drop: (name) => {
      const { path, item } = items.get(name)!;
      version += 1;
      items.delete(name);
      tell(path, 'DELETED', { ...item, metadata: { ...item.metadata, resourceVersion: `${version}` } });
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
