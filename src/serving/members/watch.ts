/** Follows the replicas of an expert, wherever its config says that they are found. */
import { UserError } from '../../core/errors.ts';
import type { Discover } from '../experts/discover-option.ts';
import type { Found } from '../fleet/membership.ts';
import { watchDns } from './dns.ts';
import { watchFile } from './file.ts';
import { watchKubernetes } from './kubernetes.ts';
import type { Source, Surroundings } from './source.ts';

export function watchSource(discover: Discover, around: Surroundings): Source {
  if ('dns' in discover) return watchDns(discover, around);
  if ('file' in discover) return watchFile(discover.file, around);
  return watchKubernetes(discover.kubernetes, around);
}

/** What is found first. @param within milliseconds. Rejects with what is wrong, or when nothing is found in time */
export function findOnce(
  discover: Discover,
  around: Pick<Surroundings, 'environment' | 'random'>,
  within: number,
): Promise<readonly Found[]> {
  let source: Source | null = null;
  let late: NodeJS.Timeout | undefined;
  const first = new Promise<readonly Found[]>((resolve, reject) => {
    late = setTimeout(() => reject(new UserError('its replicas were not found in time.')), within);
    source = watchSource(discover, {
      ...around,
      tell: resolve,
      trouble: (problem) => {
        if (problem !== null) reject(new UserError(problem));
      },
    });
  });
  return first.finally(() => {
    clearTimeout(late);
    source?.close();
  });
}
