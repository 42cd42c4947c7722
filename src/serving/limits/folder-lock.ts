/**
 * A folder that one process has for itself. Whoever has it listens on a socket in it, which ends with the process however
 * that ends: a socket that nobody answers is one of a process that is gone.
 */
import { statSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/errors.ts';

export interface HeldFolder {
  release(): Promise<void>;
}

const NAME = 'in-use';
/** Bytes that a socket's path may have: 104 with its end on macOS, 108 on Linux. */
const LONGEST = 103;
/** Two that find the same dead socket replace it within this time of each other; the later one then has the folder. */
const SETTLE_MS = 100;
const TRIES = 5;
/** What a socket says whose process is gone, or that is gone itself. */
const DEAD: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);

/** @param what holds it, in words: "the limits" @throws UserError where another process has it */
export async function holdFolder(dir: string, what: string): Promise<HeldFolder> {
  const path = socketOf(resolve(dir));
  for (let tries = 0; tries < TRIES; tries++) {
    const server = await listening(path);
    if (server === null) {
      if (await isAnswered(path)) break;
      remove(path);
      continue;
    }
    const own = inodeOf(path);
    await sleep(SETTLE_MS);
    if (inodeOf(path) === own) return { release: () => closed(server) };
    // Another has taken the path meanwhile: closing would remove what is his.
    server.unref();
    break;
  }
  throw new UserError(
    `Another gateway keeps ${what} in ${dir}: give each a folder of its own, or all of them one Redis (limits: { redis: … }).`,
  );
}

/** In the folder, or, where its path is too long for a socket, named after it in the system's folder for such files. */
function socketOf(dir: string): string {
  const inside = join(dir, NAME);
  if (Buffer.byteLength(inside) <= LONGEST) return inside;
  const { dev, ino } = statSync(dir);
  return join(tmpdir(), `expert-router-${dev}-${ino}`);
}

/** Null where the path is taken. Rejects with the system's error for anything else. */
function listening(path: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? done(null) : failed(error),
    );
    server.listen(path, () => done(server.unref()));
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => done(!DEAD.has(code ?? '')));
  });
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => void server.close(() => done()));
}
