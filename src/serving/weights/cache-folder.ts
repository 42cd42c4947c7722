/** Where this user's downloads belong, by the customs of each system. */
import { join } from 'node:path';

export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>>,
  platform: string,
  home: string,
): string {
  if (environment.EXPERT_ROUTER_CACHE) return environment.EXPERT_ROUTER_CACHE;
  if (environment.XDG_CACHE_HOME) return join(environment.XDG_CACHE_HOME, 'expert-router');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'expert-router');
  if (platform === 'win32') {
    return join(environment.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'expert-router', 'Cache');
  }
  return join(home, '.cache', 'expert-router');
}
