/** Writes files and folders completely or not at all: to a temporary sibling first, then renamed. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces `path` atomically. On any failure (a full disk, say) the old file stays and the temporary one is removed.
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporarySibling(path);
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
 * Makes the folder `path` with these files (paths within it, by `/`). An existing folder is replaced: its top-level
 * entries move over untouched, except those that `files` writes anew. On failure the old folder stays as it was.
 */
export async function writeFolder(path: string, files: Readonly<Record<string, FolderEntry>>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporarySibling(path);
  try {
    for (const [name, { content, executable }] of Object.entries(files)) {
      await mkdir(dirname(join(temporary, name)), { recursive: true });
      await writeSynced(join(temporary, name), content, executable ? 0o755 : 0o644);
    }
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await replaceFolder(temporary, path);
}

/** Only renames, so that nothing large is copied; a failure undoes them and restores the old folder. */
async function replaceFolder(fresh: string, path: string): Promise<void> {
  const old = temporarySibling(path);
  const kept: string[] = [];
  const before = await renameIfExists(path, old);
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

/** @returns false when there is nothing to rename */
async function renameIfExists(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function temporarySibling(path: string): string {
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
