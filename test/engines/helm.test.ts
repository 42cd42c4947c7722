/** The chart, rendered and linted by Helm itself, and held to the schemas of Kubernetes and of the CRDs it uses. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseConfig } from '../../src/serving/config/load.ts';
import { describeWith } from './component.ts';

const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'helm', 'expert-router');
const KUBERNETES = '1.34.0';

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as their tests need them
type Manifest = any;

const POOLS = [
  {
    id: 'org/Code:7b',
    route: true,
    pool: { selector: { app: 'vllm-code' }, port: 8000, picker: { name: 'code-epp', port: 9002 } },
    scale: { target: { name: 'vllm-code' }, max: 8, metric: 'work', value: 2.5 },
  },
];
/** One of everything. */
const WHOLE = {
  mode: 'extproc',
  replicas: 1,
  config: {
    experts: [
      { id: 'org/Code:7b', kind: 'openai', discover: { kubernetes: { service: 'vllm-code' } } },
      {
        id: 'maths',
        kind: 'openai',
        discover: { kubernetes: { service: 'm', namespace: 'maths', port: 8000 } },
      },
    ],
    request_timeout: '20m',
  },
  routerModel: { persistentVolumeClaim: 'models', file: 'support.model' },
  experts: POOLS,
  route: {
    enabled: true,
    parentRefs: [{ name: 'inference', namespace: 'gateways' }],
    hostnames: ['llm.example'],
  },
  monitor: { enabled: true },
  networkPolicy: {
    from: [{ namespaceSelector: { matchLabels: { team: 'llm' } } }],
    prometheus: [{ namespaceSelector: { matchLabels: { team: 'watch' } } }],
    egress: [{ to: [{ podSelector: {} }] }],
  },
  extraObjects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}-more' } }],
};

/** As people install it: what each of them would write. */
const INSTALLATIONS: Readonly<Record<string, object>> = {
  'whoever wants the gateway alone': {
    config: {
      experts: [
        { id: 'code', kind: 'openai', discover: { kubernetes: { service: 'vllm-code', port: 'http' } } },
        { id: 'cloud', kind: 'openai', url: 'https://api.example.com/v1', api_key: '${CLOUD_KEY:-none}' },
      ],
      records: { dir: '/tmp/records' },
    },
    env: [{ name: 'CLOUD_KEY', valueFrom: { secretKeyRef: { name: 'cloud', key: 'key' } } }],
    route: { enabled: true, parentRefs: [{ name: 'public' }], hostnames: ['llm.example'] },
    resources: { requests: { cpu: 2, memory: '1Gi' }, limits: { memory: '4Gi' } },
    terminationGracePeriodSeconds: 300,
    podLabels: { team: 'llm' },
    podAnnotations: { 'sidecar.istio.io/inject': 'false' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
    ],
  },
  'whoever has an Envoy and its pools': {
    ...WHOLE,
    replicas: 3,
    experts: [{ ...POOLS[0], scale: undefined }],
  },
  'whoever shares budgets by keys through a Redis': {
    replicas: 4,
    config: {
      experts: [{ id: 'one', kind: 'openai', url: 'http://vllm:8000', price: { input: 0.2, output: 0.6 } }],
      teams: [{ name: 'research', limits: { usd_per_month: 500 } }],
      keys: [
        { name: 'alice', hash: `sha256:${'0'.repeat(64)}`, team: 'research', limits: { concurrent: 8 } },
        {
          name: 'prometheus',
          hash: `\${EXPERT_ROUTER_KEY_HASH:-sha256:${'1'.repeat(64)}}`,
          roles: ['observe'],
        },
      ],
      limits: { redis: '${REDIS_URL:-redis://redis:6379}', replicas: 4 },
    },
    key: { existingSecret: 'prometheus-key' },
    env: [{ name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'redis', key: 'url' } } }],
    monitor: { enabled: true, kind: 'ServiceMonitor' },
  },
  'whoever has adapters on one base': {
    config: {
      experts: ['law', 'medicine'].map((id) => ({
        id,
        kind: 'openai',
        model: id,
        discover: { kubernetes: { service: 'vllm-base', port: 8000 } },
      })),
    },
    routerModel: { image: 'registry.example/router-model:3', file: 'router.model' },
  },
  'whoever runs experts on GPUs of their own, with Triton': {
    replicas: 1,
    config: {
      experts: [
        {
          id: 'code',
          kind: 'triton',
          url: 'grpc://triton-code:8001',
          model: 'ensemble',
          price: { per_gpu_hour: 2.5, gpus: 4 },
        },
        {
          id: 'general',
          kind: 'triton',
          url: 'grpc://triton-general:8001',
          model: 'ensemble',
          fallback: true,
        },
      ],
    },
    experts: [{ id: 'code', scale: { target: { name: 'triton-code', kind: 'StatefulSet' }, max: 4 } }],
    networkPolicy: {
      from: [{ podSelector: {} }],
      egress: [{ to: [{ podSelector: { matchLabels: { app: 'triton' } } }] }],
    },
    podDisruptionBudget: { maxUnavailable: '50%' },
  },
};

describeWith(['helm', 'kubernetes-schemas'], 'the Helm chart', (helmFolder, schemaFolder) => {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(() => {
    writeCrdSchemas(join(helmFolder!, 'files'), folder);
    const site = join(schemaFolder!, 'lib');
    const python = readdirSync(site).find((name) => name.startsWith('python'))!;
    const all = join(site, python, 'site-packages', 'kubernetes_validate', 'kubernetes-json-schema');
    writeOwnSchemas(join(all, `v${KUBERNETES}-local-strict`), folder);
  });

  function helm(verb: 'template' | 'lint', values: object) {
    const file = join(folder, 'values.yaml');
    writeFileSync(file, stringify(values));
    const about =
      verb === 'template'
        ? ['template', 'er', CHART, '--namespace', 'llm', '--kube-version', KUBERNETES]
        : ['lint', '--strict', CHART];
    const { status, stdout, stderr } = spawnSync(
      join(helmFolder!, 'bin', 'helm'),
      [...about, '--values', file],
      {
        encoding: 'utf8',
        env: { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder },
      },
    );
    return { status, stdout, stderr };
  }
  function rendered(values: object): Manifest[] {
    const { status, stdout, stderr } = helm('template', values);
    expect([status, stderr]).toEqual([0, '']);
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as Manifest)
      .filter((manifest) => manifest !== null);
  }
  const ofKind = (manifests: Manifest[], kind: string): Manifest[] =>
    manifests.filter((one) => one.kind === kind);
  const one = (manifests: Manifest[], kind: string): Manifest => ofKind(manifests, kind)[0];
  const configOf = (manifests: Manifest[]) =>
    parseConfig(one(manifests, 'ConfigMap').data['experts.yaml'], 'experts.yaml', {
      EXPERT_ROUTER_KEY_HASH: one(manifests, 'Secret')?.stringData.hash,
    });

  function judge(values: object): string {
    const { status, stdout, stderr } = spawnSync(
      join(helmFolder!, 'bin', 'kubeconform'),
      [
        '-strict',
        '-summary',
        // Prometheus' operator publishes its CRDs in no module; what is written for it is read below.
        ...['-skip', 'PodMonitor,ServiceMonitor'],
        ...['-schema-location', `${folder}/{{ .ResourceKind }}{{ .KindSuffix }}.json`],
        ...['-schema-location', `${folder}/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json`],
      ],
      { input: helm('template', values).stdout, encoding: 'utf8' },
    );
    return status === 0 ? '' : stdout + stderr;
  }

  it('installs as it is: two replicas, a key of its own, a config that is valid', () => {
    const all = rendered({});
    expect(all.map(({ kind }) => kind).sort()).toEqual(
      [
        'ConfigMap',
        'Deployment',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'Secret',
        'Service',
        'ServiceAccount',
      ].sort(),
    );
    const config = configOf(all);
    expect(config).toMatchObject({ listen: '0.0.0.0:8080', experts: [{ id: 'example' }] });
    const { key, hash } = one(all, 'Secret').stringData;
    expect(key).toMatch(/^er-\w{43}$/);
    expect(hash).toBe(`sha256:${createHash('sha256').update(key).digest('hex')}`);
    expect(config.keys).toMatchObject([{ name: 'default' }]);
    expect(helm('lint', {}).status).toBe(0);
    expect(judge({})).toBe('');
  });

  it('runs as nobody in particular, with nothing that it does not need', () => {
    const pod = one(rendered({}), 'Deployment').spec.template.spec;
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    // A file mounted by itself would not follow its ConfigMap.
    expect(JSON.stringify(pod.containers[0].volumeMounts)).not.toContain('subPath');
  });

  it.each([
    [40, '25s'],
    [600, '585s'],
    [10, '0s'],
  ])('lets answers under way end: of %i seconds %s', (seconds, patience) => {
    const pod = one(rendered({ terminationGracePeriodSeconds: seconds }), 'Deployment').spec.template.spec;
    expect(pod.terminationGracePeriodSeconds).toBe(seconds);
    const { args, lifecycle } = pod.containers[0];
    expect(args[args.indexOf('--grace') + 1]).toBe(patience);
    // What is closed afterwards has ten seconds.
    expect(lifecycle.preStop.sleep.seconds).toBe(5);
  });

  it('lets in whoever has to come in: clients, Prometheus and KEDA, each at its port', () => {
    const inbound = (values: object) =>
      one(rendered(values), 'NetworkPolicy').spec.ingress.map(({ ports, from }: Manifest) => [
        ports.map(({ port }: Manifest) => port).join(),
        from?.[0].namespaceSelector.matchLabels,
      ]);
    expect(inbound({})).toEqual([['http', undefined]]);
    expect(inbound(WHOLE)).toEqual([
      ['http,extproc', { team: 'llm' }],
      ['http', { team: 'watch' }],
      ['scaler', { 'kubernetes.io/metadata.name': 'keda' }],
    ]);
    expect(inbound({ ...WHOLE, networkPolicy: {} })).toEqual([['http,extproc,scaler', undefined]]);
  });

  it('with everything switched on is what the schemas ask for', () => {
    expect(helm('lint', WHOLE).status).toBe(0);
    expect(judge(WHOLE)).toBe('');
    // Not vacuous: the same judge refuses what is wrong.
    expect(judge({ ...WHOLE, networkPolicy: { ...WHOLE.networkPolicy, from: [{ pods: {} }] } })).toMatch(
      /NetworkPolicy.*invalid/,
    );
    const crowded = Array.from({ length: 65 }, (_, n) => ({ name: `gateway-${n}` }));
    expect(judge({ ...WHOLE, route: { enabled: true, parentRefs: crowded } })).toMatch(/HTTPRoute.*invalid/);
  });

  it('serves Envoy, and leads each expert to its pool', () => {
    const all = rendered(WHOLE);
    const { args, ports } = one(all, 'Deployment').spec.template.spec.containers[0];
    expect(args.join(' ')).toContain('--extproc 9002 --scaler 9500');
    expect(ports.map(({ name }: Manifest) => name)).toEqual(['http', 'extproc', 'scaler']);
    expect(configOf(all)).toMatchObject({
      extproc: { listen: '0.0.0.0:9002' },
      router: '/etc/expert-router-model/support.model',
    });
    const route = one(all, 'HTTPRoute').spec.rules[0];
    expect(route.matches).toEqual([{ headers: [{ name: 'x-selected-model', value: 'org/Code:7b' }] }]);
    expect(route.backendRefs[0].name).toBe(one(all, 'InferencePool').metadata.name);
    expect(one(all, 'ScaledObject').spec).toMatchObject({
      minReplicaCount: 0,
      triggers: [
        {
          type: 'external-push',
          metadata: { scalerAddress: 'er-expert-router.llm.svc:9500', expert: 'org/Code:7b', target: '2.5' },
        },
      ],
    });
    expect(one(all, 'PodMonitor').spec.podMetricsEndpoints[0]).toMatchObject({
      port: 'http',
      authorization: { credentials: { name: 'er-expert-router-key', key: 'key' } },
    });
    expect(ofKind(all, 'ConfigMap').map(({ metadata }) => metadata.name)).toContain('er-more');
  });

  it('may watch the InferencePools of its experts and their pods, where they are', () => {
    const pool = {
      id: 'code',
      kind: 'openai',
      discover: { kubernetes: { pool: 'code', namespace: 'gpus' } },
    };
    const all = rendered({ config: { experts: [pool, ...WHOLE.config.experts] } });
    const watched = ofKind(all, 'Role').map(({ metadata, rules }) => [
      metadata.namespace,
      rules.flatMap(({ resources }: Manifest) => resources).join(),
    ]);
    expect(watched).toEqual([
      ['gpus', 'endpointslices,inferencepools,pods'],
      ['llm', 'endpointslices'],
      ['maths', 'endpointslices'],
    ]);
  });

  it('may watch the EndpointSlices of its experts, and nothing else', () => {
    const all = rendered(WHOLE);
    expect(one(all, 'Deployment').spec.template.spec.automountServiceAccountToken).toBe(true);
    expect(ofKind(all, 'Role').map(({ metadata }) => metadata.namespace)).toEqual(['llm', 'maths']);
    for (const { rules } of ofKind(all, 'Role'))
      expect(rules).toEqual([
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ]);
  });

  it.each<[string, object, RegExp]>([
    ['an unknown value', { replica: 3 }, /additional properties 'replica' not allowed/i],
    ['a mode that is none', { mode: 'envoy' }, /mode/],
    ['no experts', { config: { experts: [] } }, /config.experts|minItems/i],
    ['a route without a Gateway', { route: { enabled: true } }, /route\.parentRefs: name the Gateway/],
    [
      'scaling by several replicas that know nothing of each other',
      { experts: [{ id: 'example', scale: { target: { name: 'x' }, max: 2 } }] },
      /needs config\.limits\.redis/,
    ],
    [
      'a router model in two places',
      { routerModel: { configMap: 'a', image: 'registry.example/b:1' } },
      /name one of configMap, persistentVolumeClaim and image/,
    ],
    [
      'a NetworkPolicy that keeps Prometheus out',
      { monitor: { enabled: true }, networkPolicy: { from: [{ podSelector: {} }] } },
      /keeps Prometheus out: name where it runs in networkPolicy\.prometheus/,
    ],
    [
      'a Prometheus without a key',
      {
        monitor: { enabled: true },
        config: { experts: [{ id: 'e', kind: 'emulated' }], keys: [{ name: 'a', hash: 'h' }] },
      },
      /Prometheus needs a key too/,
    ],
    [
      'a target of no metric',
      { replicas: 1, experts: [{ id: 'example', scale: { target: { name: 'x' }, max: 2, value: 3 } }] },
      /scale\.value is a metric's target/,
    ],
    [
      'a route without a pool',
      {
        mode: 'extproc',
        route: { enabled: true, parentRefs: [{ name: 'g' }] },
        experts: [{ id: 'e', route: true }],
      },
      /experts 'e': a route leads to its pool/,
    ],
  ])('refuses %s', (_what, values, why) => {
    const { status, stderr } = helm('template', values);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(why);
  });

  it('scales by several replicas that share a Redis', () => {
    const experts = [{ id: 'code', scale: { target: { name: 'x' }, max: 2 } }];
    const config = { experts: [{ id: 'code', kind: 'emulated' }], limits: { redis: 'redis://redis:6379' } };
    const all = rendered({ config, experts });
    expect(one(all, 'Deployment').spec.replicas).toBe(2);
    const { triggers } = one(all, 'ScaledObject').spec;
    expect(triggers.map(({ type, metadata }: Manifest) => [type, metadata.metric])).toEqual([
      ['external-push', 'work'],
      ['external', 'arrivals'],
      ['external', 'wait'],
    ]);
  });

  it.each([
    ['configMap', 'models', { configMap: { name: 'models' } }],
    ['persistentVolumeClaim', 'models', { persistentVolumeClaim: { claimName: 'models', readOnly: true } }],
    [
      'image',
      'registry.example/models:3',
      { image: { reference: 'registry.example/models:3', pullPolicy: 'IfNotPresent' } },
    ],
  ])('takes a router model from its %s', (where, from, volume) => {
    const values = { routerModel: { [where]: from, file: 'support.model' } };
    const all = rendered(values);
    expect(configOf(all)).toMatchObject({ router: '/etc/expert-router-model/support.model' });
    const { volumes } = one(all, 'Deployment').spec.template.spec;
    expect(volumes).toContainEqual({ name: 'model', ...volume });
    expect(judge(values)).toBe('');
  });

  it.each(Object.entries(INSTALLATIONS))('is installed as %s would', (_what, values) => {
    expect(helm('lint', values).status).toBe(0);
    expect(judge(values)).toBe('');
    expect(configOf(rendered(values)).experts.length).toBeGreaterThan(0);
  });

  it('leads as docs/kubernetes.md says', () => {
    const page = readFileSync(join(CHART, '..', '..', '..', 'docs', 'kubernetes.md'), 'utf8');
    const values = parse(/```yaml\n# values.yaml\n([\s\S]*?)```/.exec(page)![1]!) as object;
    expect(judge(values)).toBe('');
    expect(configOf(rendered(values)).experts.map(({ id }) => id)).toEqual(['code', 'general']);
    // The Role printed there is the one that it gets.
    const printed = parse(/```yaml\n(apiVersion: rbac[\s\S]*?)```/.exec(page)![1]!) as Manifest;
    expect(ofKind(rendered(values), 'Role').map(({ rules }) => rules)).toContainEqual(printed.rules);
  });

  it('takes a config and a Secret of others', () => {
    const all = rendered({ existingConfig: 'mine', key: { existingSecret: 'ours' } });
    expect(ofKind(all, 'ConfigMap')).toEqual([]);
    expect(ofKind(all, 'Secret')).toEqual([]);
    const pod = one(all, 'Deployment').spec.template.spec;
    expect(pod.volumes[0].configMap.name).toBe('mine');
    expect(pod.containers[0].env[0].valueFrom.secretKeyRef).toEqual({ name: 'ours', key: 'hash' });
  });
});

/** Kubernetes' own objects, each with the definitions that it needs: kubeconform finds none in another file. */
const OWN = [
  'configmap-v1',
  'deployment-apps-v1',
  'networkpolicy-networking-v1',
  'poddisruptionbudget-policy-v1',
  'role-rbac-v1',
  'rolebinding-rbac-v1',
  'secret-v1',
  'service-v1',
  'serviceaccount-v1',
];

function writeOwnSchemas(from: string, to: string): void {
  const read = (name: string): Manifest => JSON.parse(readFileSync(join(from, `${name}.json`), 'utf8'));
  const { $defs: all } = read('_definitions');
  const needed = (text: string, found = new Set<string>()): ReadonlySet<string> => {
    for (const [, name] of text.matchAll(/#\/\$defs\/([^"]+)/g)) {
      if (found.has(name!)) continue;
      found.add(name!);
      needed(JSON.stringify(all[name!]), found);
    }
    return found;
  };
  for (const name of OWN) {
    const own = read(name);
    const $defs = Object.fromEntries([...needed(JSON.stringify(own))].map((one) => [one, all[one]]));
    const whole = JSON.stringify({ ...own, $defs });
    writeFileSync(join(to, `${name}.json`), whole.replaceAll('/api/_definitions.json#/', '#/'));
  }
}

/** The schemas of CRDs as files that kubeconform finds; strict, as the API server prunes what they do not name. */
function writeCrdSchemas(from: string, to: string): void {
  for (const file of readdirSync(from)) {
    const { spec } = parse(readFileSync(join(from, file), 'utf8')) as Manifest;
    for (const { name, schema } of spec.versions) {
      mkdirSync(join(to, spec.group), { recursive: true });
      const path = join(to, spec.group, `${spec.names.kind.toLowerCase()}_${name}.json`);
      writeFileSync(path, JSON.stringify(strict(schema.openAPIV3Schema, true)));
    }
  }
}

function strict(schema: Manifest, top = false): Manifest {
  if (Array.isArray(schema)) return schema.map((one) => strict(one));
  if (schema === null || typeof schema !== 'object') return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const closed = inner.properties && inner.additionalProperties === undefined && inner.type === 'object';
  if (!closed || top || schema['x-kubernetes-preserve-unknown-fields']) return inner;
  return { ...inner, additionalProperties: false };
}
