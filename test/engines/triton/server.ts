/** A real Triton server as a process of its own, on free ports, with a repository of ours in explicit mode. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/gateway.ts';
import { writeRepository } from './repository.ts';

export interface RealTriton {
  readonly grpc: string;
  readonly http: string;
  readonly metrics: string;
  /** Requests that models are answering. */
  running(): number;
  /** Requests whose model saw that they were cancelled. */
  cancelled(): number;
  /** Everything printed so far. */
  output(): string;
  /** Kills it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same ports. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface TritonSettings {
  /** Models loaded at the start. */
  readonly load: readonly string[];
  readonly arguments?: readonly string[];
  /** `none` is what Triton does unless told otherwise: it loads everything and takes no orders. */
  readonly control?: 'explicit' | 'none';
  readonly environment?: Readonly<Record<string, string>>;
  /** More models, below the repository's folder. */
  readonly models?: (repository: string) => void;
}

/** @param component the virtual environment that `npm run test:engines` has made */
export async function realTriton(component: string, settings: TritonSettings): Promise<RealTriton> {
  try {
    return await startedTriton(component, settings);
  } catch (error) {
    // Another test's connection took a port while the models loaded.
    if (!String(error).includes('already in use')) throw error;
    return startedTriton(component, settings);
  }
}

async function startedTriton(component: string, settings: TritonSettings): Promise<RealTriton> {
  const python = pythonOf(component);
  const packages = join(component, 'lib', python.name, 'site-packages');
  const triton = join(packages, 'pytriton', 'tritonserver');
  const folder = mkdtempSync(join(tmpdir(), 'triton-'));
  const [repository, state] = [join(folder, 'models'), join(folder, 'state')];
  mkdirSync(state);
  if (settings.control !== 'none') writeRepository(repository);
  settings.models?.(repository);
  const backends = writeBackends(folder, triton, python.version);
  const [http, grpc, metrics] = (await Promise.all([freePort(), freePort(), freePort()])) as [
    number,
    number,
    number,
  ];
  const args = [
    `--model-repository=${repository}`,
    `--backend-directory=${backends}`,
    `--model-control-mode=${settings.control ?? 'explicit'}`,
    ...settings.load.map((model) => `--load-model=${model}`),
    ...['--http-address=127.0.0.1', '--grpc-address=127.0.0.1', '--metrics-address=127.0.0.1'],
    ...[`--http-port=${http}`, `--grpc-port=${grpc}`, `--metrics-port=${metrics}`],
    ...['--allow-gpu-metrics=false', '--exit-timeout-secs=1', ...(settings.arguments ?? [])],
  ];
  const env = {
    ...process.env,
    // The server's Python backend looks for modules nowhere else, and for the interpreter's library here.
    PYTHONPATH: packages,
    LD_LIBRARY_PATH: [join(packages, 'nvidia_pytriton.libs'), python.library].join(':'),
    SCRIPTED_STATE: state,
    ...settings.environment,
  };
  const address = (port: number) => `127.0.0.1:${port}`;
  let output = '';
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    // A group of its own: of a server that is killed, the interpreters of its Python backend stay behind.
    child = spawn(join(triton, 'bin', 'tritonserver'), args, {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (output += text));
    const own = child;
    await eventually('Triton is ready', async () => {
      if (own.exitCode !== null) throw new Error(`Triton ended with ${own.exitCode}:\n${output}`);
      const ready = await fetch(`http://${address(http)}/v2/health/ready`).catch(() => null);
      return ready?.status === 200;
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await gone;
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {} // all of it is gone
    }
  };
  await start();
  const files = (kind: string): number => readdirSync(state).filter((name) => name.startsWith(kind)).length;
  return {
    grpc: `grpc://${address(grpc)}`,
    http: `http://${address(http)}`,
    metrics: `http://${address(metrics)}/metrics`,
    running: () => files('running-'),
    cancelled: () => files('cancelled-'),
    output: () => output,
    kill: () => end('SIGKILL'),
    restart: start,
    stop: async () => {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The Python backend starts its interpreter from a stub that lies beside it, one for each version of Python. */
function writeBackends(folder: string, triton: string, version: string): string {
  const backend = join(folder, 'backends', 'python');
  mkdirSync(backend, { recursive: true });
  for (const file of ['libtriton_python.so', 'triton_python_backend_utils.py']) {
    copyFileSync(join(triton, 'backends', 'python', file), join(backend, file));
  }
  const stub = 'triton_python_backend_stub';
  copyFileSync(join(triton, 'python_backend_stubs', version, stub), join(backend, stub));
  return join(folder, 'backends');
}

interface Python {
  /** Such as `python3.11`. */
  readonly name: string;
  readonly version: string;
  /** The folder of its shared library. */
  readonly library: string;
}

function pythonOf(component: string): Python {
  const code = 'import sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_config_var("LIBDIR"))';
  const [major, minor, library] = execFileSync(join(component, 'bin', 'python'), ['-c', code])
    .toString()
    .trim()
    .split(' ') as [string, string, string];
  return { name: `python${major}.${minor}`, version: `${major}.${minor}`, library };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
