/** A real Envoy with the configuration that `expert-router envoy` writes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { parseConfig } from '../../src/serving/config/load.ts';
import { type BootstrapOptions, bootstrap } from '../../src/serving/envoy/bootstrap.ts';
import { EXPERT_KINDS } from '../../src/serving/experts/index.ts';
import { eventually } from '../support/gateway.ts';
import { freePort } from './engine-process.ts';

export interface EnvoyProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** A counter of its own page. */
  stat(name: string): Promise<number>;
  /** Lines of its access log so far, parsed. */
  logged(): readonly Readonly<Record<string, unknown>>[];
  /** At once, as a crash would. */
  kill(): Promise<void>;
}

/** @param processor `host:port` of the external processor */
export function bootstrapText(
  yaml: string,
  processor: string,
  { port, admin, body = 'full-duplex' }: { port: number; admin: number; body?: BootstrapOptions['body'] },
): string {
  const [host, extProcPort] = processor.split(':') as [string, string];
  const { envoy } = bootstrap(parseConfig(yaml, 'test.yaml', {}), EXPERT_KINDS, {
    listen: { host: '127.0.0.1', port },
    extProc: { host, port: Number(extProcPort) },
    adminPort: admin,
    body,
  });
  return stringify(envoy, { aliasDuplicateObjects: false });
}

function written(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'expert-router-envoy-')), 'envoy.yaml');
  writeFileSync(file, text);
  return file;
}

/** What `envoy --mode validate` says of a configuration. */
export function validate(
  folder: string,
  text: string,
): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(
    join(folder, 'bin', 'envoy'),
    ['-c', written(text), '--mode', 'validate', '--base-id', '990'],
    { encoding: 'utf8' },
  );
  return { status, said: stdout + stderr };
}

export async function envoyProcess(
  folder: string,
  yaml: string,
  processor: string,
  options: { readonly body?: BootstrapOptions['body']; readonly port?: number } = {},
): Promise<EnvoyProcess> {
  const port = options.port ?? (await freePort());
  const admin = await freePort();
  const text = bootstrapText(yaml, processor, { ...options, port, admin });
  const base = String(1000 + (port % 30_000));
  const args = ['-c', written(text), '--concurrency', '1', '--base-id', base, '--log-level', 'warning'];
  const child = spawn(join(folder, 'bin', 'envoy'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const page = (path: string) => fetch(`http://127.0.0.1:${admin}${path}`).then((answer) => answer.text());
  const stat = async (name: string): Promise<number> => {
    const line = (await page(`/stats?filter=${name}`)).split('\n').find((one) => one.includes(`${name}: `));
    return Number(line?.split(': ')[1] ?? Number.NaN);
  };
  await eventually('Envoy and its processor are ready', async () => {
    if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}:\n${errors}`);
    return (await stat('cluster.expert_router.membership_healthy').catch(() => 0)) >= 1;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    process: child,
    stat,
    logged: () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
