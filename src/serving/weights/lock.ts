/**
 * One process at a time works on a thing in the cache: a lock file, which its holder touches while it lives.
 *
 * By hand, because proper-lockfile (last released in 2021) takes a lock for stale by comparing its time with the wall clock:
 * a clock that jumps, or that differs from the file server's, lets a second process in beside a living holder, and
 * a dead holder on the same machine is waited for. Here a waiter measures with its own monotonic clock how long the
 * file's time has not changed, and a holder of this machine that is dead is replaced at once.
 */
import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/errors.ts';

const TOUCH_MS = 2_000;
const STALE_MS = 20_000;
const POLL_MS = 250;

export interface LockOptions {
  readonly signal: AbortSignal;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
  /** A monotonic clock in milliseconds. */
  readonly elapsed?: () => number;
}

/**
 * Runs `work` while holding `path`; waits for other processes first.
 * @throws UserError where the folder cannot be written to
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) =>
    refuse(path, error),
  );
  const holder = `${process.pid} ${here()} ${randomUUID()}`;
  await takeOrWait(path, holder, options);
  const touch = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => clearInterval(touch));
  }, TOUCH_MS);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await removeIf(path, holder);
  }
}

async function takeOrWait(path: string, holder: string, options: LockOptions): Promise<void> {
  const { signal, onWait, elapsed = () => performance.now() } = options;
  let seen = { state: '', at: 0 };
  for (let waited = false; !(await take(path, holder)); waited = true) {
    if (!waited) onWait?.();
    const other = await readFile(path, 'utf8').catch(() => '');
    const state = `${other} ${(await stat(path).catch(() => null))?.mtimeMs}`;
    if (seen.state !== state) seen = { state, at: elapsed() };
    if (isDead(other) || elapsed() - seen.at > STALE_MS) await removeIf(path, other);
    else await sleep(POLL_MS, undefined, { signal });
  }
}

async function take(path: string, holder: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(holder);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return refuse(path, error as NodeJS.ErrnoException);
  }
}

/** Another waiter may have replaced a stale lock meanwhile; its new one stays. */
async function removeIf(path: string, holder: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === holder) await rm(path, { force: true });
}

/** Where numbers mean the same processes: a machine, and of its containers one, which may have the name of the machine. */
function here(): string {
  let space = '';
  try {
    space = `/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {} // not Linux: one space for all
  return `${hostname()}${space}`;
}

/** Whether the holder was a process of this machine that is no more. */
function isDead(holder: string): boolean {
  const [pid, host] = holder.split(' ');
  if (host !== here()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'EPERM';
  }
}

function refuse(path: string, error: NodeJS.ErrnoException): never {
  throw new UserError(
    `Cannot write to the cache folder ${dirname(path)} (${error.code ?? error.message}). ` +
      'Set EXPERT_ROUTER_CACHE to a folder that this user can write to.',
  );
}
