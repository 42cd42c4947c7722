/** Files and folders written whole or not at all: to a temporary neighbour first, then renamed into place. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Replaces `path` atomically. On any failure (a full disk, say) the old file stays and the temporary one is removed. */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = neighbour(path);
  try {
    await writeSynced(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export interface FolderEntry {
  readonly content: string;
  readonly executable: boolean;
}

/**
 * Makes the folder `path` with these files (paths within it, by `/`). Where there is a folder already, its place is
 * taken: what it holds at its top beside the files' own top level moves over untouched, the rest of it is removed.
 * On a failure the old folder stays as it was.
 */
export async function writeFolder(path: string, files: Readonly<Record<string, FolderEntry>>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = neighbour(path);
  try {
    for (const [name, { content, executable }] of Object.entries(files)) {
      await mkdir(dirname(join(temporary, name)), { recursive: true });
      await writeSynced(join(temporary, name), content, executable ? 0o755 : 0o644);
    }
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await takePlace(temporary, path);
}

/** Renames alone, so that nothing big is copied; each step undone leaves the old folder complete. */
async function takePlace(fresh: string, path: string): Promise<void> {
  const old = neighbour(path);
  const kept: string[] = [];
  const before = await renamed(path, old);
  try {
    if (before) {
      const written = new Set(await readdir(fresh));
      for (const name of await readdir(old)) {
        if (written.has(name)) continue;
        await rename(join(old, name), join(fresh, name));
        kept.push(name);
      }
    }
    await rename(fresh, path);
  } catch (error) {
    for (const name of kept) await rename(join(fresh, name), join(old, name));
    if (before) await rename(old, path);
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/** Whether there was something to rename. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function neighbour(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
}

async function writeSynced(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
