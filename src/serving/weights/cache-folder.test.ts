/** The cache folder on each system. */
import { expect, it } from 'vitest';
import { cacheFolder } from './cache-folder.ts';

it('follows the product variable, then the XDG one, then the custom of the system', () => {
  expect(cacheFolder({ EXPERT_ROUTER_CACHE: '/a', XDG_CACHE_HOME: '/x' }, 'linux', '/h')).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux', '/h')).toBe('/x/expert-router');
  expect(cacheFolder({}, 'linux', '/h')).toBe('/h/.cache/expert-router');
  expect(cacheFolder({}, 'darwin', '/h')).toBe('/h/Library/Caches/expert-router');
  expect(cacheFolder({ LOCALAPPDATA: '/l' }, 'win32', '/h')).toBe('/l/expert-router/Cache');
});
