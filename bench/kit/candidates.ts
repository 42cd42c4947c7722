/**
 * Configures and starts what is measured between clients and experts: our gateway, HAProxy, nginx, Envoy, each on a
 * free loopback port.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { configFrom } from '../../src/serving/config/load.ts';
import { bootstrap } from '../../src/serving/envoy/bootstrap.ts';
import { EXT_PROC_CLUSTER } from '../../src/serving/envoy/clusters.ts';
import { EXPERT_KINDS } from '../../src/serving/experts/index.ts';
import { type Bench, listening, type Started } from './processes.ts';

export interface Served {
  readonly name: string;
  readonly port: number;
  readonly process: Started;
  /** A second process that does a part of the work. */
  readonly beside?: Started;
  /** Model and headers of requests to it; model `auto` and no headers when absent. */
  readonly ask?: { readonly model: string; readonly headers: Readonly<Record<string, string>> };
  /** Share of the load it is given; all when absent. */
  readonly share?: number;
  /** Its config, where it is ours. */
  readonly file?: string;
}

/** Something that can be measured, started only when needed. */
export interface Candidate {
  readonly name: string;
  /** Null if it is not installed, which it prints. @throws when it does not start */
  start(): Promise<Served | null>;
}

export interface Experts {
  readonly ports: readonly number[];
  readonly process: Started;
}

/** Emulated experts in a separate process, with the options of `expert-router emulate`. */
export async function startExperts(
  bench: Bench,
  count: number,
  ...options: readonly string[]
): Promise<Experts> {
  const process = bench.cli('emulate', '--experts', String(count), '--port', '0', ...options);
  const until = performance.now() + 60_000;
  while (!process.output().includes('are ready') && performance.now() < until) await pause(50);
  const ports = [...process.output().matchAll(/127\.0\.0\.1:(\d+)\/v1/g)].map((match) => Number(match[1]));
  if (ports.length !== count) throw new Error(`the emulated experts did not start: ${process.output()}`);
  return { ports, process };
}

export interface GatewayOptions {
  readonly workers: number;
  /** Another checkout's gateway instead of ours. */
  readonly checkout?: string;
  /** Top-level settings of the config, such as `policy`. */
  readonly settings?: object;
  /** Settings of each expert, such as `clusters`. */
  readonly expert?: (index: number) => object;
  /** Whether nothing that it prints can be written, as on a full disk. */
  readonly fullDisk?: boolean;
}

export async function startGateway(
  bench: Bench,
  experts: readonly number[],
  { workers, checkout = '.', settings, expert, fullDisk = false }: GatewayOptions,
): Promise<Served> {
  const port = await freePort();
  const file = join(bench.folder, `gateway-${port}.yaml`);
  const config = {
    ...settings,
    experts: experts.map((to, index) => ({
      id: `e${index + 1}`,
      kind: 'openai',
      url: `http://127.0.0.1:${to}/v1`,
      ...expert?.(index),
    })),
  };
  // JSON is valid YAML.
  writeFileSync(file, JSON.stringify(config));
  const args = ['serve', '--config', file, '--port', String(port), '--workers', String(workers)];
  const process = fullDisk ? bench.cliOnFullDisk(...args) : bench.cliOf(checkout, ...args);
  await listening(port, process);
  return { name: checkout === '.' ? 'expert-router' : 'beside', port, process, file };
}

export async function startHaproxy(bench: Bench, experts: readonly number[]): Promise<Served | null> {
  if (!present('haproxy', '-v')) return null;
  const port = await freePort();
  const file = join(bench.folder, `haproxy-${port}.cfg`);
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 10m
  timeout server 10m
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend experts
backend experts
  balance roundrobin
${experts.map((to, index) => `  server e${index + 1} 127.0.0.1:${to}`).join('\n')}
`,
  );
  const process = bench.start('haproxy', ['-db', '-f', file]);
  await listening(port, process);
  return { name: 'haproxy', port, process };
}

export async function startNginx(bench: Bench, experts: readonly number[]): Promise<Served | null> {
  if (!present('nginx', '-v')) return null;
  const port = await freePort();
  const file = join(bench.folder, `nginx-${port}.conf`);
  const spools = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    file,
    `daemon off;
worker_processes 1;
pid ${bench.folder}/nginx-${port}.pid;
error_log ${bench.folder}/nginx-${port}.log;
events { worker_connections 8000; }
http {
  access_log off;
${spools.map((name) => `  ${name}_temp_path ${bench.folder}/nginx-${name};`).join('\n')}
  keepalive_requests 1000000;
  upstream experts {
${experts.map((to) => `    server 127.0.0.1:${to};`).join('\n')}
    keepalive 2000;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://experts;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 10m;
    }
  }
}
`,
  );
  const process = bench.start('nginx', ['-c', file, '-e', join(bench.folder, 'nginx-start.log')]);
  await listening(port, process);
  return { name: 'nginx', port, process };
}

const ENVOY = '.cache/engines/envoy/bin/envoy';
/** Of Envoy's own page; nobody asks it. */
const NO_PORT = 0;

/** Envoy with one cluster of all experts and no processor: what bytes alone cost it. */
export async function startEnvoy(bench: Bench, experts: readonly number[]): Promise<Served | null> {
  if (!hasEnvoy()) return null;
  const config = experts.map((to) => `http://127.0.0.1:${to}/v1`);
  const { port, file } = await envoyConfig(bench, { experts: [{ id: 'all', kind: 'openai', url: config }] });
  const plain = withoutProcessor(parse(readFileSync(file, 'utf8')));
  writeFileSync(file, JSON.stringify(plain));
  const process = bench.start(ENVOY, envoyArguments(file, port));
  await listening(port, process);
  return { name: 'envoy', port, process };
}

/** Envoy as `expert-router envoy` sets it up, and the processor that chooses an expert for every request. */
export async function startEnvoyWithProcessor(
  bench: Bench,
  experts: readonly number[],
): Promise<Served | null> {
  if (!hasEnvoy()) return null;
  const each = experts.map((to, index) => ({
    id: `e${index + 1}`,
    kind: 'openai',
    url: `http://127.0.0.1:${to}/v1`,
    max_concurrent: 2000,
  }));
  const { port, file, yaml, processor } = await envoyConfig(bench, { experts: each });
  const beside = bench.cli('extproc', '--config', yaml, '--port', String(processor));
  await listening(processor, beside);
  const process = bench.start(ENVOY, envoyArguments(file, port));
  await listening(port, process);
  return { name: 'envoy+extproc', port, process, beside };
}

/** Files of a config and of the Envoy for it, at free ports. */
async function envoyConfig(bench: Bench, config: object) {
  const [port, processor] = [await freePort(), await freePort()];
  const yaml = join(bench.folder, `experts-${port}.yaml`);
  const file = join(bench.folder, `envoy-${port}.yaml`);
  writeFileSync(yaml, JSON.stringify(config));
  const { envoy } = bootstrap(configFrom(JSON.stringify(config), yaml, {}), EXPERT_KINDS, {
    listen: { host: '127.0.0.1', port },
    extProc: { host: '127.0.0.1', port: processor },
    adminPort: NO_PORT,
    body: 'full-duplex',
  });
  writeFileSync(file, stringify(envoy, { aliasDuplicateObjects: false }));
  return { port, file, yaml, processor };
}

/** One thread, as the gateway has one process; lines of its log are written as they would be. */
function envoyArguments(file: string, port: number): readonly string[] {
  return ['-c', file, '--concurrency', '1', '--base-id', String(port), '--log-level', 'error'];
}

interface EnvoyTree {
  static_resources: {
    listeners: { filter_chains: { filters: { typed_config: ConnectionManager }[] }[] }[];
    clusters: { name: string }[];
  };
}
interface ConnectionManager {
  http_filters: { name: string }[];
  route_config: { virtual_hosts: { routes: { match: object; route?: object }[] }[] };
}

/** The same Envoy, asking nobody: all requests go to its one cluster in turn. */
function withoutProcessor(envoy: EnvoyTree): EnvoyTree {
  const manager = envoy.static_resources.listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
  manager.http_filters = manager.http_filters.filter(({ name }) => !name.includes('ext_proc'));
  for (const host of manager.route_config.virtual_hosts)
    host.routes = host.routes.flatMap(({ route }) => (route ? [{ match: { prefix: '/' }, route }] : []));
  envoy.static_resources.clusters = envoy.static_resources.clusters.filter(
    ({ name }) => name !== EXT_PROC_CLUSTER,
  );
  return envoy;
}

function hasEnvoy(): boolean {
  const found = existsSync(ENVOY);
  if (!found) console.log('envoy: left out; node scripts/test-engines.js --install envoy installs it');
  return found;
}

function present(command: string, versionFlag: string): boolean {
  const found = spawnSync(command, [versionFlag]).status === 0;
  if (!found) console.log(`${command}: left out, the command is not installed`);
  return found;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
