/** What `expert-router envoy` writes, as far as that goes without Envoy; `npm run test:scale` asks Envoy itself. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { newKey } from '../src/serving/front/auth.ts';
import { command } from './support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'envoy-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Envoy {
  readonly static_resources: {
    readonly listeners: readonly {
      readonly address: {
        readonly socket_address: { readonly address: string; readonly port_value: number };
      };
      readonly filter_chains: readonly { readonly filters: readonly { readonly typed_config: Manager }[] }[];
    }[];
    readonly clusters: readonly { readonly name: string; readonly type: string }[];
  };
}
interface Manager {
  readonly early_header_mutation_extensions: readonly {
    readonly typed_config: { readonly mutations: readonly { readonly remove: string }[] };
  }[];
  readonly http_filters: readonly { readonly typed_config: Readonly<Record<string, unknown>> }[];
  readonly route_config: { readonly virtual_hosts: readonly { readonly routes: readonly Route[] }[] };
}
interface Route {
  readonly match: { readonly headers?: readonly { readonly name: string; readonly string_match: object }[] };
  readonly route?: { readonly cluster: string };
  readonly direct_response?: { readonly status: number };
}

async function written(yaml: string, ...more: readonly string[]) {
  const file = join(folder, 'experts.yaml');
  writeFileSync(file, yaml);
  const running = command('envoy', '--config', file, ...more);
  const code = await running.ended;
  return { code, said: running.output() };
}

const TWO = `
experts:
  - { id: code, kind: openai, url: ['http://10.0.0.1:8000', 'http://10.0.0.2:8000'] }
  - { id: org/maths:7b, kind: openai, url: 'https://gpu.example/api/v1' }
  - { id: here, kind: emulated }
  - { id: fenced, kind: openai, url: 'http://10.0.0.3:8000', proxy: 'http://proxy:3128' }
`;

describe('expert-router envoy', () => {
  it('leaves DNS names to Envoy, and what a file lists out', async () => {
    const out = join(folder, 'found.yaml');
    const { code, said } = await written(
      `experts:
  - { id: pods, kind: openai, discover: { dns: vllm.llm.svc, port: 8000 } }
  - { id: service, kind: openai, discover: { kubernetes: { service: vllm, namespace: llm, port: 8000 } } }
  - { id: listed, kind: openai, discover: { file: ./replicas.yaml } }`,
      '--out',
      out,
    );
    expect(code).toBe(0);
    expect(said).toContain('listed');
    const { static_resources: all } = parse(readFileSync(out, 'utf8')) as Envoy;
    expect(all.clusters.slice(0, 2).map(({ name, type }) => [name, type])).toEqual([
      ['expert_pods', 'STRICT_DNS'],
      ['expert_service', 'STRICT_DNS'],
    ]);
    expect(JSON.stringify(all.clusters[1])).toContain('"address":"vllm.llm.svc"');
  });

  it('writes a cluster and a route for each expert, and strips what clients must not say', async () => {
    const out = join(folder, 'envoy.yaml');
    const { code, said } = await written(TWO, '--out', out);
    expect(code).toBe(0);
    expect(said).toContain('cannot ask them: here, fenced.');
    const { static_resources: all } = parse(readFileSync(out, 'utf8')) as Envoy;
    expect(all.clusters.map(({ name, type }) => [name, type])).toEqual([
      ['expert_code', 'STATIC'],
      ['expert_org/maths:7b', 'STRICT_DNS'],
      ['expert_router', 'STATIC'],
    ]);
    const manager = all.listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
    const stripped = manager.early_header_mutation_extensions[0]!.typed_config.mutations.map(
      (one) => one.remove,
    );
    for (const name of ['x-selected-model', 'x-gateway-model-name', 'x-gateway-destination-endpoint'])
      expect(stripped).toContain(name);
    expect(manager.http_filters[0]!.typed_config.failure_mode_allow).toBe(false);
    const { routes } = manager.route_config.virtual_hosts[0]!;
    expect(routes.map(({ match, route }) => [match.headers?.[0]?.string_match, route?.cluster])).toEqual([
      [{ exact: 'code' }, 'expert_code'],
      [{ exact: 'org/maths:7b' }, 'expert_org/maths:7b'],
      [undefined, undefined],
    ]);
    expect(routes.at(-1)!.direct_response!.status).toBe(503);
  });

  it.each([
    ['experts: [{ id: here, kind: emulated }]', [], /Envoy can ask none/],
    [
      "experts: [{ id: a, kind: openai, url: ['http://10.0.0.1:1', 'https://10.0.0.2:1'] }]",
      [],
      /alike in scheme and path/,
    ],
    [TWO, ['--listen', '0.0.0.0:10000'], /Without keys/],
    [TWO, ['--extproc', 'nowhere'], /--extproc nowhere/],
    [`extproc: { expert_headers: [authorization] }\n${TWO}`, [], /another header/],
  ])('refuses %s with %j', async (yaml, more, why) => {
    const { code, said } = await written(yaml, ...more);
    expect(code).not.toBe(0);
    expect(said).toMatch(why);
  });
});

describe('deploy/compose-envoy.yaml', () => {
  interface Service {
    readonly command?: readonly string[];
    readonly depends_on?: Readonly<Record<string, unknown>>;
    readonly read_only: boolean;
    readonly cap_drop: readonly string[];
    readonly ports?: readonly string[];
  }
  const { services } = parse(readFileSync('deploy/compose-envoy.yaml', 'utf8'), { merge: true }) as {
    services: Readonly<Record<string, Service>>;
  };

  it('writes a configuration for the processor and the experts that it runs', async () => {
    const [verb, ...args] = services.bootstrap!.command!;
    expect(verb).toBe('envoy');
    const { hash } = newKey();
    const out = join(folder, 'compose.yaml');
    const local = args.map((word) =>
      word.replace('/etc/expert-router', 'deploy').replace('/etc/envoy/envoy.yaml', out),
    );
    const running = command({ EXPERT_ROUTER_KEY_HASH: hash }, 'envoy', ...local);
    expect(await running.ended, running.output()).toBe(0);
    const text = readFileSync(out, 'utf8');
    for (const name of ['code', 'maths', 'general', 'processor']) {
      expect(Object.keys(services)).toContain(name);
      expect(text).toContain(`address: ${name}\n`);
    }
    expect(services.processor!.command).toContain('9002');
    expect(services.envoy!.ports).toEqual(['127.0.0.1:10000:10000']);
  });

  it('gives no container more than it needs', () => {
    for (const [name, { read_only: readOnly, cap_drop: dropped, depends_on: needed = {} }] of Object.entries(
      services,
    )) {
      expect([name, readOnly, dropped]).toEqual([name, true, ['ALL']]);
      for (const other of Object.keys(needed)) expect(Object.keys(services)).toContain(other);
    }
  });
});
