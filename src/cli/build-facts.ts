/** The lines that `expert-router --version` prints, to be quoted in bug reports. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { shipped, version } from '../core/shipped.ts';
import { FORMAT_VERSION, readRouterModel } from '../deciding/model/artefact.ts';

export function buildFacts(): string {
  const model = readRouterModel(readFileSync(shipped('models/default.router.safetensors')));
  return [
    `expert-router ${version()}`,
    `commit        ${commit() ?? 'unknown'}`,
    `node          ${process.versions.node}`,
    `platform      ${process.platform} ${process.arch}`,
    `router model  ${model.id} (format ${FORMAT_VERSION}, ${model.clusters} clusters)`,
  ].join('\n');
}

/** The checkout's commit, marked if it was edited; for an installed package, the commit it was packed from. */
function commit(): string | null {
  if (existsSync(shipped('.git'))) {
    const git = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], {
      cwd: shipped('.'),
      encoding: 'utf8',
    });
    if (git.status === 0) return git.stdout.trim();
  }
  const packed = shipped('dist/commit');
  return existsSync(packed) ? readFileSync(packed, 'utf8').trim() : null;
}
