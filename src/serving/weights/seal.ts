/**
 * Whether a file is still what was fetched, at the price of a few reads: its size, its time, and a digest of samples. The
 * whole is read when these say something else, and when that is asked for.
 */
import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { writeFileAtomically } from '../../core/files.ts';
import { sha256Of } from './download.ts';

export interface Seal {
  readonly bytes: number;
  readonly mtimeMs: number;
  /** SHA-256 of the samples, in hex. */
  readonly samples: string;
}

const SAMPLES = 16;
const SAMPLE_BYTES = 64 * 1024;

/** Reads up to a megabyte: the beginning, the end, and blocks spread evenly between. */
export async function sealOf(path: string): Promise<Seal> {
  const file = await open(path, 'r');
  try {
    const { size: bytes, mtimeMs } = await file.stat();
    const hash = createHash('sha256');
    const block = Buffer.allocUnsafe(SAMPLE_BYTES);
    const last = Math.max(0, bytes - SAMPLE_BYTES);
    for (let i = 0; i < SAMPLES; i += 1) {
      const at = Math.floor((last * i) / (SAMPLES - 1));
      const { bytesRead } = await file.read(block, 0, SAMPLE_BYTES, at);
      hash.update(block.subarray(0, bytesRead));
    }
    return { bytes, mtimeMs, samples: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Whether two seals are of the same content, as far as samples tell. */
export function sameContent(one: Seal, other: Seal): boolean {
  return one.bytes === other.bytes && one.samples === other.samples;
}

/** Notes what a verified file is. A cache that cannot be written to is checked in full at every load. */
export async function setSeal(path: string): Promise<void> {
  await writeFileAtomically(sealFile(path), `${JSON.stringify(await sealOf(path))}\n`).catch(() => undefined);
}

/**
 * What is wrong with a fetched file; null for nothing.
 * @param pinned its SHA-256 in hex, where the product knows it; else the one noted when it was fetched
 * @param full whether to read all of it, whatever its seal says
 */
export async function damageOf(path: string, pinned: string | null, full: boolean): Promise<string | null> {
  const noted = await readSeal(path);
  if (noted !== null && !full) {
    const { size } = await stat(path);
    if (size !== noted.bytes) return `has ${size} bytes instead of ${noted.bytes}`;
    const now = await sealOf(path);
    if (now.mtimeMs === noted.mtimeMs && sameContent(now, noted)) return null;
  }
  const expected = pinned ?? (await readFile(`${path}.sha256`, 'utf8').catch(() => '')).trim();
  if (expected !== '' && (await sha256Of(path)) !== expected)
    return 'is not what was fetched: its checksum differs';
  await setSeal(path);
  return null;
}

async function readSeal(path: string): Promise<Seal | null> {
  try {
    return JSON.parse(await readFile(sealFile(path), 'utf8')) as Seal;
  } catch {
    return null;
  }
}

function sealFile(path: string): string {
  return `${path}.seal`;
}
