/**
 * Configures and starts the other gateways that ours is compared with. `npm run bench:peers` installs them below
 * .cache/peers.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Candidate, freePort, type Served } from './candidates.ts';
import { type Bench, listening } from './processes.ts';

const FOLDER = join('.cache', 'peers');
/** These cannot carry the load of the plain proxies, so their cost is measured at a tenth of it. */
const TENTH = 0.1;
/** LiteLLM's imports take long on a busy machine. */
const START_MS = 120_000;

interface Peer {
  readonly name: string;
  /** Path below the peers' folder; exists once the peer is installed. */
  readonly program: string;
  readonly share: number;
  setUp(place: Setting): Promise<SetUp> | SetUp;
}

interface Setting {
  readonly bench: Bench;
  readonly port: number;
  /** Ports of the emulated experts. */
  readonly experts: readonly number[];
}

interface SetUp {
  /** When absent, the peer's program is run directly. */
  readonly command?: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ask: NonNullable<Served['ask']>;
}

const PEERS: readonly Peer[] = [
  {
    name: 'portkey',
    program: 'portkey/node_modules/@portkey-ai/gateway/build/start-server.js',
    share: TENTH,
    setUp: ({ port, experts }) => ({
      command: process.execPath,
      args: [`--port=${port}`, '--headless'],
      ask: { model: 'auto', headers: { 'x-portkey-config': portkeyConfig(experts) } },
    }),
  },
  {
    name: 'litellm',
    program: 'litellm/bin/litellm',
    share: TENTH,
    setUp: ({ bench, port, experts }) => {
      const config = join(bench.folder, `litellm-${port}.yaml`);
      writeFileSync(config, litellmConfig(experts));
      // It refuses to start with a weak key.
      const key = `sk-${randomBytes(24).toString('hex')}`;
      return {
        args: ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
        // Otherwise it fetches prices from the Internet.
        env: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR', LITELLM_MASTER_KEY: key },
        ask: { model: 'auto', headers: { authorization: `Bearer ${key}` } },
      };
    },
  },
  {
    name: 'vllm-router',
    program: 'vllm-router/bin/vllm-router',
    share: 1,
    setUp: async (place) => ({
      args: [...(await routerArgs(place)), '--log-level', 'error'],
      env: ONE_THREAD,
      ask: { model: 'auto', headers: {} },
    }),
  },
  {
    name: 'smg',
    program: 'smg/bin/smg',
    share: 1,
    setUp: async (place) => ({
      args: ['launch', ...(await routerArgs(place)), '--log-level', 'error', '--disable-tokenizer-autoload'],
      env: ONE_THREAD,
      // It serves models under the names that its workers announce, which differ for every emulated expert.
      ask: { model: 'expert-1', headers: {} },
    }),
  },
];

/** Like HAProxy and nginx here. */
const ONE_THREAD = { TOKIO_WORKER_THREADS: '1' };

async function routerArgs({ port, experts }: Setting): Promise<string[]> {
  const urls = experts.map((to) => `http://127.0.0.1:${to}`);
  const metrics = ['--prometheus-host', '127.0.0.1', '--prometheus-port', String(await freePort())];
  return [
    ...['--host', '127.0.0.1', '--port', String(port), '--policy', 'round_robin', ...metrics],
    ...['--worker-urls', ...urls],
  ];
}

function portkeyConfig(experts: readonly number[]): string {
  const targets = experts.map((to) => ({
    provider: 'openai',
    api_key: 'none',
    custom_host: `http://127.0.0.1:${to}/v1`,
    weight: 1,
  }));
  return JSON.stringify({ strategy: { mode: 'loadbalance' }, targets });
}

/** JSON is valid YAML. */
function litellmConfig(experts: readonly number[]): string {
  const deployments = experts.map((to) => ({
    model_name: 'auto',
    litellm_params: { model: 'openai/auto', api_base: `http://127.0.0.1:${to}/v1`, api_key: 'none' },
  }));
  return JSON.stringify({
    model_list: deployments,
    router_settings: { routing_strategy: 'simple-shuffle', num_retries: 0 },
    litellm_settings: { telemetry: false, num_retries: 0, turn_off_message_logging: true },
  });
}

/** Every peer; one that is not installed says so when it is started. */
export function peers(bench: Bench, experts: readonly number[]): readonly Candidate[] {
  return PEERS.map((peer) => ({ name: peer.name, start: () => started(peer, bench, experts) }));
}

async function started(
  { name, program, share, setUp }: Peer,
  bench: Bench,
  experts: readonly number[],
): Promise<Served | null> {
  const path = join(FOLDER, program);
  if (!existsSync(path)) {
    console.log(`${name}: left out, not installed; npm run bench:peers -- ${name} installs it`);
    return null;
  }
  const port = await freePort();
  const { command, args, env, ask } = await setUp({ bench, port, experts });
  const process = bench.start(command ?? path, command ? [path, ...args] : args, env);
  const served = { name, port, process, ask, share };
  try {
    await listening(port, process, START_MS);
    return served;
  } catch (error) {
    await process.end();
    throw error;
  }
}
