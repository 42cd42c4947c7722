/** The chart's objects given to a real API server, and replicas found through it by the rights that the chart gives. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseConfig } from '../../src/serving/config/load.ts';
import { type KubernetesOptions, watchKubernetes } from '../../src/serving/members/kubernetes.ts';
import type { Source } from '../../src/serving/members/source.ts';
import { eventually } from '../support/gateway.ts';
import { describeWith } from './component.ts';
import { type Cluster, cluster } from './kubernetes-process.ts';

const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'helm', 'expert-router');
const VALUES = {
  mode: 'extproc',
  config: {
    experts: [
      { id: 'code', kind: 'openai', discover: { kubernetes: { service: 'vllm-code' } } },
      { id: 'maths', kind: 'openai', discover: { kubernetes: { pool: 'maths', namespace: 'gpus' } } },
    ],
    limits: { redis: 'redis://redis:6379' },
  },
  experts: [
    {
      id: 'code',
      route: true,
      pool: { selector: { app: 'vllm-code' }, port: 8000, picker: { name: 'code-epp', port: 9002 } },
      scale: { target: { name: 'vllm-code' }, max: 8 },
    },
  ],
  route: { enabled: true, parentRefs: [{ name: 'inference', namespace: 'gateways' }] },
  networkPolicy: { from: [{ namespaceSelector: { matchLabels: { team: 'llm' } } }] },
};

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as their tests need them
type Manifest = any;

describeWith(['kubernetes', 'helm'], 'a Kubernetes API server', (folder, helmFolder) => {
  const state = mkdtempSync(join(tmpdir(), 'er-kubernetes-'));
  let api: Cluster;
  /** Where objects of a kind are kept. */
  const places = new Map<string, { readonly root: string; readonly plural: string }>();
  let source: Source | null = null;

  beforeAll(async () => {
    api = await cluster(folder!);
    for (const file of readdirSync(join(helmFolder!, 'files'))) {
      const crd = parse(readFileSync(join(helmFolder!, 'files', file), 'utf8')) as Manifest;
      const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
      expect((await api.ask('POST', path, crd)).status).toBe(201);
      await eventually(`${crd.metadata.name} is served`, async () => {
        const { body } = await api.ask('GET', `${path}/${crd.metadata.name}`);
        return body.status?.conditions?.some(
          (one: Manifest) => one.type === 'Established' && one.status === 'True',
        );
      });
    }
    for (const name of ['llm', 'gpus']) await api.ask('POST', '/api/v1/namespaces', { metadata: { name } });
  }, 120_000);
  afterAll(async () => {
    source?.close();
    await api?.close();
    rmSync(state, { recursive: true });
  });

  function rendered(values: object): readonly Manifest[] {
    const file = join(state, 'values.yaml');
    writeFileSync(file, stringify(values));
    const { stdout, stderr, status } = spawnSync(
      join(helmFolder!, 'bin', 'helm'),
      ['template', 'er', CHART, '--namespace', 'llm', '--kube-version', '1.34.0', '--values', file],
      {
        encoding: 'utf8',
        env: { ...process.env, HELM_CACHE_HOME: state, HELM_CONFIG_HOME: state, HELM_DATA_HOME: state },
      },
    );
    expect([status, stderr]).toEqual([0, '']);
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as Manifest)
      .filter((manifest) => manifest !== null);
  }

  async function placeOf({ apiVersion, kind }: Manifest): Promise<{ root: string; plural: string }> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    if (!places.has(`${apiVersion} ${kind}`)) {
      const { body } = await api.ask('GET', root);
      for (const one of body.resources ?? [])
        if (!one.name.includes('/')) places.set(`${apiVersion} ${one.kind}`, { root, plural: one.name });
    }
    return places.get(`${apiVersion} ${kind}`)!;
  }

  /** As `kubectl apply --server-side` does, unknown fields refused. */
  async function apply(manifest: Manifest): Promise<{ status: number; body: Manifest }> {
    const { root, plural } = await placeOf(manifest);
    const { name, namespace = 'llm' } = manifest.metadata;
    const path = `${root}/namespaces/${namespace}/${plural}/${name}?fieldManager=test&fieldValidation=Strict`;
    return api.ask('PATCH', path, manifest, 'application/apply-patch+yaml');
  }

  it('takes every object of the chart, and gives its config back whole', async () => {
    const all = rendered(VALUES);
    expect(all.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([
        'Deployment',
        'HTTPRoute',
        'InferencePool',
        'ScaledObject',
        'Role',
        'NetworkPolicy',
      ]),
    );
    for (const manifest of all) {
      const { status, body } = await apply(manifest);
      expect([manifest.kind, status, body.message]).toEqual([manifest.kind, 201, undefined]);
    }
    const route = all.find(({ kind }) => kind === 'HTTPRoute');
    // Not vacuous: the same server refuses what is wrong, by the rules of the CRD.
    const both = { ...route, spec: { ...route.spec, rules: Array(17).fill(route.spec.rules[0]) } };
    expect((await apply(both)).status).toBe(422);
    const { metadata } = all.find(({ kind }) => kind === 'ConfigMap');
    const { body } = await api.ask('GET', `/api/v1/namespaces/llm/configmaps/${metadata.name}`);
    const config = parseConfig(body.data['experts.yaml'], 'experts.yaml', {
      EXPERT_ROUTER_KEY_HASH: `sha256:${'0'.repeat(64)}`,
    });
    expect(config.experts.map(({ id }) => id)).toEqual(['code', 'maths']);
  }, 60_000);

  it('has the chart installed by the command of docs/kubernetes.md, and an upgrade keeps its key', async () => {
    const page = readFileSync(join(CHART, '..', '..', '..', 'docs', 'kubernetes.md'), 'utf8');
    const [command] = /^helm install .*$/m.exec(page)!;
    const helm = (line: string): void => {
      const args = [...line.split(' ').slice(1), ...api.forHelm];
      const { stdout, stderr, status } = spawnSync(join(helmFolder!, 'bin', 'helm'), args, {
        encoding: 'utf8',
        cwd: join(CHART, '..', '..', '..'),
        env: { ...process.env, HELM_CACHE_HOME: state, HELM_CONFIG_HOME: state, HELM_DATA_HOME: state },
      });
      expect({ line, status, output: stdout + stderr }).toMatchObject({ status: 0 });
    };
    const kept = async (kind: string, name: string): Promise<Manifest> =>
      (await api.ask('GET', `/api/v1/namespaces/llm/${kind}/${name}`)).body.data;
    helm(command!);
    const before = await kept('secrets', 'router-expert-router-key');
    const longer = ['--set', 'config.experts[0].id=other,config.experts[0].kind=emulated'].join(' ');
    helm(`${command!.replace('install', 'upgrade').replace(' --create-namespace', '')} ${longer}`);
    expect(await kept('secrets', 'router-expert-router-key')).toEqual(before);
    const config = await kept('configmaps', 'router-expert-router');
    expect(config['experts.yaml']).toContain('id: other');
    helm('helm uninstall router --namespace llm');
    expect(await kept('configmaps', 'router-expert-router')).toBeUndefined();
  }, 120_000);

  /** What a pod of the gateway has in its folder. */
  async function credentials(): Promise<string> {
    const path = '/api/v1/namespaces/llm/serviceaccounts/er-expert-router/token';
    const { body } = await api.ask('POST', path, { spec: { expirationSeconds: 3600 } });
    const own = join(state, 'service-account');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'token'), body.status.token);
    writeFileSync(join(own, 'namespace'), 'llm');
    writeFileSync(join(own, 'ca.crt'), api.authority);
    return own;
  }

  function watch(options: Omit<KubernetesOptions, 'credentials'>, own: string) {
    const told: string[] = [];
    const troubles: (string | null)[] = [];
    source?.close();
    source = watchKubernetes(
      { ...options, credentials: own },
      {
        tell: (found) => void told.push(found.map(({ url }) => url).join()),
        trouble: (problem) => void troubles.push(problem),
        environment: api.environment,
        random: () => 0,
      },
    );
    return { told, troubles };
  }

  it('tells of the pods of a Service as they come and go, by the rights of the chart', async () => {
    const own = await credentials();
    const slices = '/apis/discovery.k8s.io/v1/namespaces/llm/endpointslices';
    const slice = (ready: boolean, terminating = false) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'vllm-code-a', labels: { 'kubernetes.io/service-name': 'vllm-code' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8000, protocol: 'TCP' }],
      endpoints: [
        { addresses: ['10.1.0.1'], conditions: { ready: true } },
        { addresses: ['10.1.0.2'], conditions: { ready, terminating } },
      ],
    });
    const put = async (ready: boolean, terminating = false): Promise<void> => {
      const at = `${slices}/vllm-code-a?fieldManager=test&force=true`;
      const { status } = await api.ask(
        'PATCH',
        at,
        slice(ready, terminating),
        'application/apply-patch+yaml',
      );
      expect(status).toBeLessThan(300);
    };
    await put(false);
    const { told, troubles } = watch({ service: 'vllm-code' }, own);
    await eventually('the ready one', () => told.at(-1) === 'http://10.1.0.1:8000');
    await put(true);
    await eventually('both', () => told.at(-1) === 'http://10.1.0.1:8000,http://10.1.0.2:8000');
    await put(false, true);
    await eventually('one is leaving', () => told.at(-1) === 'http://10.1.0.1:8000');
    await api.ask('DELETE', `${slices}/vllm-code-a`);
    await eventually('none', () => told.at(-1) === '');
    expect(troubles.filter((problem) => problem !== null)).toEqual([]);
    const elsewhere = watch({ service: 'vllm-code', namespace: 'kube-system' }, own);
    await eventually('what it may not see is said', () =>
      elsewhere.troubles.some((problem) => problem?.includes('403') && problem.includes('needs a Role')),
    );
  }, 60_000);

  it('tells of the pods of an InferencePool, by the rights of the chart', async () => {
    const own = await credentials();
    const { told, troubles } = watch({ pool: 'maths', namespace: 'gpus' }, own);
    await eventually('there is none', () => troubles.includes("There is no InferencePool 'maths'."));
    const pods = '/api/v1/namespaces/gpus/pods';
    const pod = {
      metadata: { name: 'm-1', labels: { app: 'maths' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    expect((await api.ask('POST', pods, pod)).status).toBe(201);
    const pool = {
      apiVersion: 'inference.networking.k8s.io/v1',
      kind: 'InferencePool',
      metadata: { name: 'maths', namespace: 'gpus' },
      spec: {
        selector: { matchLabels: { app: 'maths' } },
        targetPorts: [{ number: 8000 }, { number: 8001 }],
        endpointPickerRef: { name: 'epp', port: { number: 9002 } },
      },
    };
    expect((await apply(pool)).status).toBe(201);
    await eventually('its pod is not ready', () => told.at(-1) === '');
    const status = {
      status: {
        podIP: '10.1.0.9',
        podIPs: [{ ip: '10.1.0.9' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    };
    const merged = await api.ask('PATCH', `${pods}/m-1/status`, status, 'application/merge-patch+json');
    expect(merged.status).toBe(200);
    await eventually('it is', () => told.at(-1) === 'http://10.1.0.9:8000,http://10.1.0.9:8001');
    await api.ask('DELETE', `${pods}/m-1?gracePeriodSeconds=0`);
    await eventually('it is gone', () => told.at(-1) === '');
    expect(troubles.at(-1)).toBeNull();
  }, 60_000);
});
