/**
 * Measures the time to a first answer and the gateway's size: `npm run bench:start`.
 *
 * 1. From `npm start` in a fresh clone (npm's cache warm, weights and engine not fetched) to the first routed answer.
 * 2. The same with weights and engine in the user's cache.
 * 3. Start-up time and idle memory of the gateway alone, with experts that are servers elsewhere.
 * 4. Size of an installation, without and with the embedded engine.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = process.cwd();
const scratch = mkdtempSync(join(tmpdir(), 'expert-router-bench-'));

interface Started {
  readonly seconds: number;
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

async function start(folder: string, args: readonly string[], cache: string): Promise<Started> {
  const began = performance.now();
  const child = spawn('npm', ['start', '--', '--port', '0', ...args], {
    cwd: folder,
    env: { ...process.env, EXPERT_ROUTER_CACHE: cache, EXPERT_ROUTER_DISCOVER: 'none' },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let output = '';
  for await (const text of child.stdout) {
    output += text;
    const url = /experts? on (http:\/\/\S+)/.exec(output)?.[1];
    if (!url) continue;
    return {
      seconds: (performance.now() - began) / 1000,
      url,
      pid: gatewayPid(child.pid!),
      stop: async () => {
        process.kill(-child.pid!, 'SIGTERM');
        await sleep(1500);
      },
    };
  }
  throw new Error(`npm start exited:\n${output}`);
}

/** The node process that serves, below npm and its shell. */
function gatewayPid(npm: number): number {
  const children = readFileSync(`/proc/${npm}/task/${npm}/children`, 'utf8').trim();
  return children === '' ? npm : gatewayPid(Number(children.split(' ')[0]));
}

async function firstAnswer({ url }: Started): Promise<string> {
  const body = JSON.stringify({
    model: 'auto',
    max_tokens: 16,
    messages: [{ role: 'user', content: 'Write a poem about rain.' }],
  });
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  await response.text();
  return `${response.status} from ${response.headers.get('x-expert-router-expert')}`;
}

async function answered(label: string, folder: string, cache: string): Promise<void> {
  const began = performance.now();
  const started = await start(folder, [], cache);
  const answer = await firstAnswer(started);
  const total = (performance.now() - began) / 1000;
  console.log(
    `${label}: serving after ${started.seconds.toFixed(1)} s, first answer after ${total.toFixed(1)} s (${answer})`,
  );
  await started.stop();
}

function megabytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  const size = (path: string): number => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return 0;
    return stats.isDirectory()
      ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
      : stats.size;
  };
  return Math.round(size(folder) / 1e6);
}

const clone = join(scratch, 'clone');
const cache = join(scratch, 'cache');
spawnSync('git', ['clone', '--quiet', ROOT, clone], { stdio: 'inherit' });
await answered('fresh clone, nothing cached but npm packages', clone, cache);
rmSync(join(clone, 'node_modules'), { recursive: true });
rmSync(join(clone, 'dist'), { recursive: true });
await answered('fresh clone, engine and weights cached', clone, cache);

const config = join(scratch, 'servers.yaml');
writeFileSync(
  config,
  "experts: [{ id: a, kind: openai, url: 'http://127.0.0.1:1' }, { id: b, kind: openai, url: 'http://127.0.0.1:1' }]\n",
);
const alone = await start(clone, ['--config', config], cache);
await sleep(2000);
const status = readFileSync(`/proc/${alone.pid}/status`, 'utf8');
const memory = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1000);
console.log(
  `gateway alone: serving after ${alone.seconds.toFixed(2)} s (npm included), idle memory ${memory} MB`,
);
await alone.stop();

const production = join(scratch, 'production');
for (const file of ['package.json', 'package-lock.json']) cpSync(join(ROOT, file), join(production, file));
spawnSync('npm', ['ci', '--omit=dev', '--silent'], { cwd: production });
const gateway = megabytes(join(production, 'node_modules'));
const engine = megabytes(join(cache, 'engines'));
console.log(
  `node_modules of an installation: ${gateway} MB; with the embedded engine ${gateway + engine} MB`,
);
rmSync(scratch, { recursive: true });
