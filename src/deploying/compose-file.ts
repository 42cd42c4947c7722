/** The compose file: one service per expert, pinned to its GPUs, reachable from this machine only. */
import { trtllmServe } from './flags.ts';
import { BUILT_INSIDE, checkpointInside, type EngineExpert, type EnginePlan, modelOnHost } from './plan.ts';
import { yamlText } from './yaml-text.ts';

/** Ports inside each container. */
const INSIDE = { http: 8000, grpc: 8001, metrics: 8002 } as const;

/** Loading and warming up may take this long before a failed health check counts. */
const START_PERIOD = '20m';

export function composeFile(plan: EnginePlan): string {
  return yamlText(
    'One service per expert, each with its own GPUs. Start: docker compose up --detach --wait\nPorts are open to this machine only; clients connect to the router.',
    {
      services: Object.fromEntries(plan.experts.map((expert) => [expert.id, service(plan, expert)])),
    },
  );
}

function service(plan: EnginePlan, expert: EngineExpert) {
  return {
    image: literal(plan.images.serve),
    ...(plan.serve === 'trtllm-serve' ? serving(plan, expert) : triton(plan, expert)),
    ports: ports(expert),
    ulimits: { memlock: -1, stack: 67_108_864 },
    restart: 'unless-stopped',
    deploy: {
      resources: {
        reservations: {
          devices: [{ driver: 'nvidia', device_ids: expert.gpus.map(String), capabilities: ['gpu'] }],
        },
      },
    },
  };
}

function serving(plan: EnginePlan, { model }: EngineExpert) {
  const { size } = model;
  const command = trtllmServe(checkpointInside(model), INSIDE.http, size.deployment.tensorParallel, size);
  return {
    command: [...command, '--host', '0.0.0.0', '--extra_llm_api_options', `/serve/${model.name}.yaml`].map(
      literal,
    ),
    environment: { HF_HUB_OFFLINE: '1' },
    volumes: [mount(modelOnHost(plan, model), checkpointInside(model)), mount('./serve', '/serve')],
    ipc: 'host',
    healthcheck: healthy('/health'),
  };
}

function triton(plan: EnginePlan, { model }: EngineExpert) {
  const legacy = plan.serve === 'legacy';
  const repository = legacy ? `${BUILT_INSIDE}/triton` : '/models';
  return {
    command: [
      '/opt/tritonserver/bin/tritonserver',
      `--model-repository=${repository}`,
      `--http-port=${INSIDE.http}`,
      `--grpc-port=${INSIDE.grpc}`,
      `--metrics-port=${INSIDE.metrics}`,
      // llmapi's model.yaml sets decoupled mode through Triton's config auto-completion, so it must stay enabled there.
      ...(legacy ? ['--disable-auto-complete-config'] : []),
    ],
    environment: { HF_HUB_OFFLINE: '1' },
    volumes: legacy
      ? [mount(modelOnHost(plan, model), BUILT_INSIDE)]
      : [
          mount(modelOnHost(plan, model), checkpointInside(model)),
          mount(`./triton/${model.name}`, '/models'),
        ],
    shm_size: '2gb',
    healthcheck: healthy('/v2/health/ready'),
  };
}

/** The long form: a folder that is missing is an error instead of an empty folder made by the daemon. */
function mount(source: string, target: string) {
  return { type: 'bind', source: literal(source), target: literal(target), read_only: true };
}

/** Compose replaces `$NAME`; a doubled sign stays one. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function ports({ ports: { http, grpc, metrics } }: EngineExpert): readonly string[] {
  const open = (outside: number | undefined, inside: number): readonly string[] =>
    outside === undefined ? [] : [`127.0.0.1:${outside}:${inside}`];
  return [...open(http, INSIDE.http), ...open(grpc, INSIDE.grpc), ...open(metrics, INSIDE.metrics)];
}

/** Uses Python, which these images have; they may lack curl. */
function healthy(path: string) {
  const ask = `import urllib.request; urllib.request.urlopen("http://127.0.0.1:${INSIDE.http}${path}", timeout=5)`;
  return {
    test: ['CMD', 'python3', '-c', ask],
    interval: '15s',
    timeout: '10s',
    retries: 4,
    start_period: START_PERIOD,
  };
}
