/**
 * Installs the gateways that `npm run bench:gateway` compares with, each in its own folder below .cache/peers:
 * `npm run bench:peers` for all, `npm run bench:peers -- portkey smg` for some. Nothing outside that folder changes.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './prepare.js';

const FOLDER = join(ROOT, '.cache', 'peers');

const PEERS = {
  portkey: (folder) => {
    // With newer versions of its HTTP server it answers every stream with 500 (Portkey-AI/gateway issue 1389).
    const dependencies = { '@portkey-ai/gateway': '1.15.2' };
    const overrides = { '@hono/node-server': '1.13.5' };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies, overrides }));
    return run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  },
  litellm: (folder) => python(folder, 'litellm[proxy]==1.104.0'),
  'vllm-router': (folder) => python(folder, 'vllm-router==0.1.17'),
  smg: (folder) => python(folder, 'smg==1.13.0'),
};

function python(folder, requirement) {
  return (
    run('python3', ['-m', 'venv', folder], folder) ??
    run(
      join(folder, 'bin', 'pip'),
      ['install', '--quiet', '--disable-pip-version-check', requirement],
      folder,
    )
  );
}

/** Null on success, else the reason for the failure. */
function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status === 0) return null;
  return `${command} ended with ${done.error?.message ?? `status ${done.status ?? done.signal}`}`;
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PEERS);
const unknown = names.filter((name) => !Object.hasOwn(PEERS, name));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: unknown peer; known peers: ${Object.keys(PEERS).join(', ')}.`);
  process.exit(2);
}
for (const [index, name] of names.entries()) {
  console.log(`${index + 1} of ${names.length}: installing ${name} …`);
  const folder = join(FOLDER, name);
  mkdirSync(folder, { recursive: true });
  const reason = PEERS[name](folder);
  if (reason === null) continue;
  // An incomplete installation would be mistaken for a complete one.
  rmSync(folder, { recursive: true, force: true });
  console.error(`${name}: cannot be installed here: ${reason}; the bench leaves it out.`);
  process.exitCode = 1;
}
