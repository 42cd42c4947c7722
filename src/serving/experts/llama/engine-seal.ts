/** Whether an installed engine is still what was installed: its entry and its large files, the binaries among them. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Seal, sameContent, sealOf } from '../../weights/seal.ts';

const SEALS = 'seals.json';
/** Smaller files are text, whose loss the engine's start tells by name. */
const LARGE = 64 * 1024;

/** To be called when the folder is complete. @param entry the file that is imported, below the folder */
export async function sealEngine(folder: string, entry: string): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const seals: Record<string, Seal> = {};
  for (const path of paths.sort()) {
    const name = relative(folder, path);
    if (name === entry || (await stat(path)).size >= LARGE) seals[name] = await sealOf(path);
  }
  await writeFile(join(folder, SEALS), JSON.stringify(seals));
}

/** What is wrong with an installed engine; null for nothing. One installed without seals needs its entry only. */
export async function engineDamage(folder: string, entry: string): Promise<string | null> {
  const noted = await readFile(join(folder, SEALS), 'utf8').catch(() => null);
  if (noted === null) return (await isThere(join(folder, entry))) ? null : `${entry} is missing`;
  let seals: Record<string, Seal>;
  try {
    seals = JSON.parse(noted) as Record<string, Seal>;
  } catch {
    return `${SEALS} is cut short`;
  }
  for (const [name, seal] of Object.entries(seals)) {
    const now = await sealOf(join(folder, name)).catch(() => null);
    if (now === null) return `${name} is missing`;
    if (!sameContent(now, seal)) return `${name} has changed`;
  }
  return null;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
