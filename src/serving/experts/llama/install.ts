/**
 * Puts the engine (node-llama-cpp and the one binary this machine needs) into the user's cache folder, once.
 * It loads nothing; what npm may install is fixed by the lockfile in `engines/llama`.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeError, UserError } from '../../../core/errors.ts';
import { withLock } from '../../weights/lock.ts';
import type { ExpertDeps } from '../kind.ts';
import { engineDamage, sealEngine } from './engine-seal.ts';
import { binaryPackage, ENGINE_PACKAGE, ENGINE_VERSION, type Lockfile, planInstall } from './install-plan.ts';

const SHIPPED = fileURLToPath(new URL('../../../../engines/llama/', import.meta.url));
/** Sources for building llama.cpp anew, 35 MB: this product only ever runs the prebuilt binary. */
const UNUSED = join('node_modules', ENGINE_PACKAGE, 'llama', 'gitRelease.bundle');
const LEFTOVER = '.installing-';
const ENTRY = join('node_modules', ENGINE_PACKAGE, 'dist', 'index.js');

export type InstallDeps = Pick<
  ExpertDeps,
  'cacheFolder' | 'environment' | 'now' | 'progress' | 'log' | 'signal'
>;

function engineFolder(cacheFolder: string): string {
  return join(cacheFolder, 'engines', `${ENGINE_PACKAGE}-${ENGINE_VERSION}`);
}

/** The engine's entry file, if it is here: beside this product in `node_modules`, or in the cache. */
export async function findEngine(cacheFolder: string): Promise<string | null> {
  try {
    return createRequire(import.meta.url).resolve(ENGINE_PACKAGE);
  } catch {
    // The usual case: the gateway does not depend on the engine.
  }
  const folder = engineFolder(cacheFolder);
  return (await engineDamage(folder, ENTRY)) === null ? join(folder, ENTRY) : null;
}

/** The engine's entry file; installs it first if need be. */
export async function ensureEngine(deps: InstallDeps): Promise<string> {
  const found = await findEngine(deps.cacheFolder);
  if (found) return found;
  const folder = engineFolder(deps.cacheFolder);
  const signal = deps.signal ?? new AbortController().signal;
  const onWait = () => deps.log('another process is installing the llama.cpp engine; waiting for it');
  return withLock(`${folder}.lock`, { signal, onWait }, async () => {
    const meanwhile = await findEngine(deps.cacheFolder);
    if (meanwhile) return meanwhile;
    const there = await stat(folder).catch(() => null);
    const damage = there ? await engineDamage(folder, ENTRY) : null;
    if (damage !== null) {
      deps.log(`The llama.cpp engine is damaged (${damage}); it is installed again.`);
      await rm(folder, { recursive: true, force: true });
    }
    await sweep(dirname(folder));
    const temporary = await mkdtemp(join(dirname(folder), LEFTOVER));
    try {
      await install(temporary, deps, signal);
      await sealEngine(temporary, ENTRY);
      await rename(temporary, folder);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return join(folder, ENTRY);
  });
}

/** What a killed installation left behind; we hold the lock, so nobody is using it. */
async function sweep(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.startsWith(LEFTOVER));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

async function install(folder: string, deps: InstallDeps, signal: AbortSignal): Promise<void> {
  const binary = binaryPackage(process.platform, process.arch);
  const read = async (name: string) => JSON.parse(await readFile(join(SHIPPED, name), 'utf8'));
  const shipped = {
    manifest: await read('package.json'),
    lock: (await read('package-lock.json')) as Lockfile,
  };
  const { manifest, lock, pinned } = planInstall(binary, shipped.manifest, shipped.lock);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock, null, 2));
  const progress = deps.progress?.('llama.cpp engine', 'items');
  const started = deps.now();
  // npm tells nothing while it works, so the line shows that time passes.
  const seconds = () => Math.round((deps.now() - started) / 1000);
  const tick = setInterval(() => progress?.update(0, undefined, `installing, ${seconds()} s`), 500);
  try {
    await runNpm(pinned ? 'ci' : 'install', folder, deps.environment, signal);
    await rm(join(folder, UNUSED), { force: true });
    await stat(join(folder, ENTRY));
  } finally {
    clearInterval(tick);
  }
  progress?.finish(`${ENGINE_PACKAGE} ${ENGINE_VERSION} installed in ${seconds()} s`);
}

function runNpm(
  verb: 'ci' | 'install',
  folder: string,
  environment: ExpertDeps['environment'],
  signal: AbortSignal,
): Promise<void> {
  const options = [verb, '--ignore-scripts', '--omit=optional', '--omit=dev', '--prefer-offline'];
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const script = environment.npm_execpath;
  const viaNode = script !== undefined && /npm-cli\.c?js$/.test(script);
  const command = viaNode ? process.execPath : 'npm';
  const args = [...(viaNode ? [script] : []), ...options, ...quiet];
  return new Promise((resolve, reject) => {
    // Windows finds npm only as npm.cmd, through the shell; every argument here is a constant.
    const shell = !viaNode && process.platform === 'win32';
    const child = spawn(command, args, { cwd: folder, env: outsideNpm(environment), signal, shell });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 1000) said += chunk.toString('utf8');
    });
    child.stdout.resume();
    child.on('error', (error) => reject(signal.aborted ? error : installFailed(describeError(error))));
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(installFailed(said.trim() || `exit ${code}`)),
    );
  });
}

/** Started by npm itself (`npm start`), we must not hand the settings of that run to the inner one. */
function outsideNpm(environment: ExpertDeps['environment']): NodeJS.ProcessEnv {
  const inherited = Object.entries(environment);
  return Object.fromEntries(
    inherited.filter(([name]) => !/^npm_(package|lifecycle|config_(local_)?prefix|command)/i.test(name)),
  );
}

function installFailed(why: string): UserError {
  return new UserError(
    `The llama.cpp engine could not be installed with npm: ${why}\n` +
      'Check that npm is on the PATH and reaches its registry, then run `expert-router pull`.',
  );
}
