/**
 * Makes a checkout runnable: installs the packages of the lockfile, compiles src/ and builds the dashboard of ui/, each
 * only when out of date.
 * `install` only installs, `pack` also records the commit in the package. Plain JavaScript without dependencies,
 * because it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const NODE_NEEDED = [20, 19];

/** Installs and compiles as needed; on failure, exits with the failing command's status and shows its output. */
export function prepare() {
  requireNode();
  install();
  compile('tsconfig.build.json', 'dist', ['src']);
  buildDashboard();
}

/** Compiles benches and evaluations beside the sources they measure; returns the folder they land in. */
export function prepareScripts() {
  compile('tsconfig.scripts.json', '.build', ['src', 'bench', 'evaluation', 'fuzz']);
  return join(ROOT, '.build');
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) return;
  fail(`expert-router needs Node ${NODE_NEEDED.join('.')} or newer; this is ${process.versions.node}.`);
}

function install() {
  const stamp = join(ROOT, 'node_modules', '.installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('Installing packages (once; later starts skip this) …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm could not install the packages');
  writeFileSync(stamp, wanted);
}

function compile(project, outDir, sources) {
  const stamp = join(ROOT, outDir, '.compiled');
  const newest = Math.max(
    ...[project, 'tsconfig.json', 'scripts/prepare.js', ...sources].map((name) =>
      newestChange(join(ROOT, name)),
    ),
  );
  if (existsSync(stamp) && Number(readFileSync(stamp, 'utf8')) === newest) return;
  // Removed first, so that deleted sources leave no compiled files behind.
  rmSync(join(ROOT, outDir), { recursive: true, force: true });
  run(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project],
    'the sources do not compile',
  );
  for (const source of sources) copyData(source, sources.length > 1 ? join(outDir, source) : outDir);
  mkdirSync(join(ROOT, outDir), { recursive: true });
  writeFileSync(stamp, String(newest));
}

/** Into dist/ui, after the compiler, which empties dist. The page shares what it is sent with the server's sources. */
function buildDashboard() {
  const stamp = join(ROOT, 'dist', '.dashboard');
  const sources = ['ui', 'src/serving/board', 'src/replaying', 'package-lock.json'].map((name) =>
    newestChange(join(ROOT, name)),
  );
  const newest = Math.max(...sources);
  if (existsSync(stamp) && Number(readFileSync(stamp, 'utf8')) === newest) return;
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  run(
    process.execPath,
    [vite, 'build', '--config', join(ROOT, 'ui/vite.config.ts')],
    'the dashboard cannot be built',
  );
  writeFileSync(stamp, String(newest));
}

/**
 * Copies the data files that sources read, which the compiler does not copy: everything but code, declarations and
 * docs.
 */
function copyData(source, outDir) {
  for (const entry of readdirSync(join(ROOT, source), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(ts|js|md)$|^layers\.json$/.test(entry.name)) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(ROOT, outDir, relative(join(ROOT, source), from));
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
}

function newestChange(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestChange(join(path, name))),
    stats.mtimeMs,
  );
}

function run(command, args, whatFailed) {
  // Standard output stays clean for commands that print data there.
  const done = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (done.status === 0) return;
  fail(`${whatFailed} (${command} ended with ${done.error?.message ?? `status ${done.status}`}).`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Records the commit for the published package; a checkout asks git instead. */
function noteCommit() {
  const git = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
  const commit = process.env.EXPERT_ROUTER_COMMIT || (git.status === 0 ? git.stdout.trim() : '');
  if (commit) writeFileSync(join(ROOT, 'dist', 'commit'), commit);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [only] = process.argv.slice(2);
  if (only === 'install') install();
  else prepare();
  if (only === 'pack') noteCommit();
}
