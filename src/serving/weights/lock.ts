/**
 * One process at a time works on a thing in the cache: a lock file kept fresh while its owner lives.
 * It knows nothing of what is locked; a lock whose owner died goes stale and is taken over.
 */
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/errors.ts';

const REFRESH_MS = 2_000;
const STALE_MS = 20_000;
const POLL_MS = 250;

export interface LockOptions {
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Called once when somebody else holds the lock. */
  readonly onWait?: () => void;
}

/** Runs `work` while holding `path`; waits for other processes first. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) =>
    refuse(path, error),
  );
  for (let waited = false; !(await take(path)); waited = true) {
    if (!waited) options.onWait?.();
    if (await isStale(path, options.now)) await rm(path, { force: true });
    else await sleep(POLL_MS, undefined, { signal: options.signal });
  }
  const refresh = setInterval(() => {
    const seconds = options.now() / 1000;
    utimes(path, seconds, seconds).catch(() => clearInterval(refresh));
  }, REFRESH_MS);
  refresh.unref();
  try {
    return await work();
  } finally {
    clearInterval(refresh);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid} ${hostname()}`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return refuse(path, error as NodeJS.ErrnoException);
  }
}

function refuse(path: string, error: NodeJS.ErrnoException): never {
  throw new UserError(
    `Cannot write to the cache folder ${dirname(path)} (${error.code ?? error.message}). ` +
      'Set EXPERT_ROUTER_CACHE to a folder that this user can write to.',
  );
}

/** Old, or written by a process of this machine that is no more. */
async function isStale(path: string, now: () => number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null) return false;
  if (now() - found.mtimeMs > STALE_MS) return true;
  const [pid, host] = (await readFile(path, 'utf8').catch(() => '')).split(' ');
  return host === hostname() && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
