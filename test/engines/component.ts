/** Real engines that a plain machine lacks: `npm run test:engines` fetches them, plain `npm test` skips their tests. */
import { join } from 'node:path';
import { describe, it } from 'vitest';

const ENGINES = join(import.meta.dirname, '..', '..', '.cache', 'engines');

/** Where a component is installed, or null when this run did not ask for it. */
export function component(name: string): string | null {
  const asked = (process.env.EXPERT_ROUTER_TEST_ENGINES ?? '').split(',');
  return asked.includes(name) ? join(ENGINES, name) : null;
}

/** A suite that needs all the components named; skipped, with the reason in its title, where one is missing. */
export function describeWith(
  names: readonly string[],
  title: string,
  suite: (...folders: readonly string[]) => void,
): void {
  const folders = names.map(component);
  if (folders.every((folder) => folder !== null)) {
    describe(title, () => suite(...folders));
    return;
  }
  describe.skip(`${title}: npm run test:engines ${names.join(' ')} installs and runs it`, () => {
    it('is skipped', () => {});
  });
}
