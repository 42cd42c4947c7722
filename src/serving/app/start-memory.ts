/** How long starts take, kept in a file beside the records: a gateway that is started anew knows it from the first. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files.ts';
import type { StartMemory } from '../fleet/cold-start.ts';

const FILE = 'starts.json';
/** The last so many experts are kept: a config that changes for years fills no disk. */
const MOST = 1_000;

/** @param dir of the records @param log told once when it cannot be written */
export function startMemory(dir: string, log: (line: string) => void): StartMemory {
  const file = join(dir, FILE);
  const all = read(file);
  let writing: Promise<void> = Promise.resolve();
  let told = false;
  const write = async (): Promise<void> => {
    try {
      await writeFileAtomically(file, `${JSON.stringify(Object.fromEntries(all))}\n`);
    } catch (error) {
      if (!told) log(`How long experts take to start is not kept: ${describeError(error)}`);
      told = true;
    }
  };
  return {
    known: (expert) => all.get(expert) ?? null,
    learned: (expert, ms) => {
      all.delete(expert);
      all.set(expert, Math.round(ms));
      if (all.size > MOST) all.delete(all.keys().next().value!);
      writing = writing.then(write);
    },
  };
}

/** Whatever is no such file is none: what is learned next replaces it. */
function read(file: string): Map<string, number> {
  try {
    const kept = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>);
    return new Map(
      kept.filter((one): one is [string, number] => Number.isFinite(one[1]) && (one[1] as number) >= 0),
    );
  } catch {
    return new Map();
  }
}
