/** The config of `serve` without --config: the engines found on this machine, else the embedded experts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_CONFIG } from '../serving/app/compose.ts';
import { discover } from '../serving/discover/discover.ts';
import type { ChosenKey } from '../serving/discover/drafts.ts';
import { isWorker } from '../serving/workers/primary.ts';

/** Environment variable that passes the primary's file to its workers. */
const FOUND = 'EXPERT_ROUTER_FOUND_CONFIG';

/**
 * The config file to serve. Engines found are written to a temporary file, removed when this process ends.
 * @param say prints one line to the user
 */
export async function unconfigured(
  options: { readonly discover: boolean; readonly keys: readonly ChosenKey[] },
  say: (line: string) => void,
): Promise<string> {
  if (isWorker()) return process.env[FOUND] ?? DEFAULT_CONFIG;
  if (!options.discover) return DEFAULT_CONFIG;
  const { yaml, found, left } = await discover(process.env, options.keys);
  if (found.length > 0) say(['Found:', ...found].join('\n  '));
  if (left.length > 0) say(['Found but not used:', ...left].join('\n  '));
  if (yaml === null) return DEFAULT_CONFIG;
  say(
    'Serving the engines found. To keep and edit it: expert-router discover --out experts.yaml\nTo serve the embedded experts instead: expert-router serve --no-discover',
  );
  const folder = mkdtempSync(join(tmpdir(), 'expert-router-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'found.yaml');
  writeFileSync(file, yaml);
  process.env[FOUND] = file;
  return file;
}
