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
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const NODE_NEEDED = [20, 19];

/** Installs and compiles as needed; on failure, exits with the failing command's status and shows its output. */
export function prepare() {
  requireNode();
  const tasks = [packages, () => compiled('tsconfig.build.json', 'dist', ['src']), dashboard];
  if (tasks.every((task) => task().done)) return;
  alone(() => {
    for (const task of tasks) asNeeded(task());
  });
}

/** Compiles benches and evaluations beside the sources they measure; returns the folder they land in. */
export function prepareScripts() {
  const scripts = () => compiled('tsconfig.scripts.json', '.build', ['src', 'bench', 'evaluation', 'fuzz']);
  if (!scripts().done) alone(() => asNeeded(scripts()));
  return join(ROOT, '.build');
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) return;
  fail(`expert-router needs Node ${NODE_NEEDED.join('.')} or newer; this is ${process.versions.node}.`);
}

/**
 * Something to be made: whether it is up to date, and how it is made.
 * @typedef {{ done: boolean, make: () => void }} Task
 */

/** @param {Task} task */
function asNeeded({ done, make }) {
  if (!done) make();
}

/** One program at a time: two that are started at once would compile into each other's folders. */
function alone(work) {
  const lock = join(ROOT, '.cache', 'preparing');
  mkdirSync(dirname(lock), { recursive: true });
  let told = false;
  while (!taken(lock)) {
    if (!told)
      console.error(
        'Another program prepares this checkout; waiting for it (if there is none, remove .cache/preparing) …',
      );
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

const WAIT_MS = 200;

/** A lock whose holder is gone is nobody's. */
function taken(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isHeld(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock) {
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder === process.pid) return false;
    if (holder > 0) process.kill(holder, 0);
    return true; // it exists, or has not written its number yet
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** @returns {Task} */
function packages() {
  const stamp = join(ROOT, 'node_modules', '.installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  return {
    done: holds(stamp, wanted),
    make: () => {
      console.error('Installing packages (once; later starts skip this) …');
      run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm could not install the packages');
      writeFileSync(stamp, wanted);
    },
  };
}

/** @returns {Task} */
function compiled(project, outDir, sources) {
  const newest = newestOf([project, 'tsconfig.json', 'scripts/prepare.js', ...sources]);
  return {
    done: holds(join(ROOT, outDir, '.compiled'), newest),
    make: () =>
      replaced(join(ROOT, outDir), (made) => {
        const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
        run(process.execPath, [tsc, '-p', project, '--outDir', made], 'the sources do not compile');
        for (const source of sources) copyData(source, sources.length > 1 ? join(made, source) : made);
        for (const kept of DASHBOARD) keep(join(ROOT, outDir, kept), join(made, kept));
        writeFileSync(join(made, '.compiled'), newest);
      }),
  };
}

/** What the dashboard is in dist, and its stamp. */
const DASHBOARD = ['ui', '.dashboard'];

function keep(from, to) {
  if (existsSync(from)) cpSync(from, to, { recursive: true });
}

/**
 * Into dist/ui. The page shares what it is sent with the server's sources.
 * @returns {Task}
 */
function dashboard() {
  const newest = newestOf(['ui', 'src/serving/board', 'src/replaying', 'package-lock.json']);
  const stamp = join(ROOT, 'dist', '.dashboard');
  return {
    done: holds(stamp, newest),
    make: () => {
      replaced(join(ROOT, 'dist', 'ui'), (made) => {
        const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
        const options = ['--config', join(ROOT, 'ui/vite.config.ts'), '--outDir', made, '--emptyOutDir'];
        run(process.execPath, [vite, 'build', ...options], 'the dashboard cannot be built');
      });
      writeFileSync(stamp, newest);
    },
  };
}

/**
 * What runs from the folder meanwhile finds the old files until all new ones are there, and deleted sources leave none.
 * @param {(made: string) => void} make fills an empty folder
 */
function replaced(folder, make) {
  const [made, old] = ['made', 'old'].map((name) => join(ROOT, '.cache', `${name}-${basename(folder)}`));
  for (const left of [made, old]) rmSync(left, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  make(made);
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(made, folder);
  rmSync(old, { recursive: true, force: true });
}

function holds(stamp, text) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === text;
}

function newestOf(names) {
  return String(Math.max(...names.map((name) => newestChange(join(ROOT, name)))));
}

/**
 * Copies the data files that sources read, which the compiler does not copy: everything but code, declarations and
 * docs.
 */
function copyData(source, outDir) {
  for (const entry of readdirSync(join(ROOT, source), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(ts|js|md)$|^layers\.json$/.test(entry.name)) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(outDir, relative(join(ROOT, source), from));
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
  if (only === 'install') alone(() => asNeeded(packages()));
  else prepare();
  if (only === 'pack') noteCommit();
}
