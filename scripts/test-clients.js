/**
 * `npm run test:clients [client …] [-- vitest arguments]`: installs clients below .cache/clients, with every package
 * pinned, runs each against the gateway, and writes the table in docs/clients.md. Without names, all clients. With
 * `--install` first it only installs.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.js';

/** Environments that clients are installed in; its folder in test/clients pins them. */
const ENVIRONMENTS = {
  node: { pins: ['package.json', 'package-lock.json'], install: installNode },
  python: { pins: ['requirements.txt'], install: installPython },
  // They ask for other versions of the SDKs.
  frameworks: { pins: ['requirements.txt'], install: installPython },
};

/** Name → where it is installed; null for development packages of this repository. */
const CLIENTS = {
  'openai-node': null,
  'anthropic-node': null,
  'vercel-ai': 'node',
  'ollama-node': 'node',
  'openai-python': 'python',
  'anthropic-python': 'python',
  'ollama-python': 'frameworks',
  langchain: 'frameworks',
  'langchain-tests': 'frameworks',
  llamaindex: 'frameworks',
  'pydantic-ai': 'python',
  instructor: 'frameworks',
  codex: 'node',
  'claude-code': 'node',
};

const FOLDER = join(ROOT, '.cache', 'clients');
const RESULTS = join(FOLDER, 'results.jsonl');

const split = process.argv.indexOf('--', 2);
const given = process.argv.slice(2, split < 0 ? undefined : split);
const onlyInstall = given[0] === '--install';
const named = given.slice(onlyInstall ? 1 : 0);
const forVitest = split < 0 ? [] : process.argv.slice(split + 1);
const unknown = named.filter((name) => !(name in CLIENTS));
if (unknown.length > 0)
  fail(`unknown client: ${unknown.join(', ')}; known: ${Object.keys(CLIENTS).join(', ')}`, 2);
const wanted = named.length > 0 ? named : Object.keys(CLIENTS);

prepare();
mkdirSync(FOLDER, { recursive: true });
for (const name of new Set(wanted.map((client) => CLIENTS[client]))) if (name !== null) install(name);
if (onlyInstall) process.exit(0);
rmSync(RESULTS, { force: true });
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const done = spawnSync(process.execPath, [vitest, 'run', 'test/clients', ...forVitest], {
  cwd: ROOT,
  stdio: 'inherit',
  env: {
    ...process.env,
    EXPERT_ROUTER_TEST_CLIENTS: wanted.join(','),
    EXPERT_ROUTER_CLIENT_RESULTS: RESULTS,
  },
});
if (done.status === 0 && named.length === 0) writePage();
process.exit(done.status ?? 1);

/** Skipped where the same pins are already installed. */
function install(name) {
  const { pins, install: make } = ENVIRONMENTS[name];
  const source = join(ROOT, 'test', 'clients', name);
  const folder = join(FOLDER, name);
  const hash = createHash('sha256');
  for (const file of pins) hash.update(readFileSync(join(source, file)));
  const digest = hash.digest('hex');
  const stamp = join(folder, '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  console.error(`Installing the clients of ${name} …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  make(source, folder);
  writeFileSync(stamp, digest);
}

function installNode(source, folder) {
  for (const file of ENVIRONMENTS.node.pins) copyFileSync(join(source, file), join(folder, file));
  run('npm', ['ci', '--no-audit', '--no-fund'], folder);
  // Puts the program for this machine in place, which npm only does where install scripts are allowed.
  run(process.execPath, [join('node_modules', '@anthropic-ai', 'claude-code', 'install.cjs')], folder);
}

function installPython(source, folder) {
  run('python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', '--quiet', 'install', '--no-deps', '-r', join(source, 'requirements.txt')];
  run(join(folder, 'bin', 'python'), pip);
}

/** The rows of docs/clients.md, from what the tests noted of what they saw work. */
function writePage() {
  const page = join(ROOT, 'docs', 'clients.md');
  const notes = readFileSync(RESULTS, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const rows = Object.keys(CLIENTS).flatMap((client) => {
    const own = notes.filter((note) => note.client === client);
    if (own.length === 0) return [];
    return [`| ${own[0].name} | ${own[0].version} | ${own.map(({ what }) => what).join('; ')} |`];
  });
  const text = readFileSync(page, 'utf8');
  const table = `<!-- clients -->\n\n| client | version | what worked |\n|---|---|---|\n${rows.join('\n')}\n\n<!-- end of clients -->`;
  const written = text.replace(/<!-- clients -->[\s\S]*<!-- end of clients -->/, () => table);
  writeFileSync(`${page}.new`, written);
  renameSync(`${page}.new`, page);
  console.error('Wrote docs/clients.md.');
}

function run(command, args, cwd = ROOT) {
  const ended = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (ended.status !== 0)
    fail(`${command} ${args.join(' ')} ended with ${ended.error?.message ?? ended.status}.`);
}

function fail(message, status = 1) {
  console.error(message);
  process.exit(status);
}
