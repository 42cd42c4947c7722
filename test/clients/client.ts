/** Clients that a plain machine lacks: `npm run test:clients` fetches them, plain `npm test` skips their tests. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '..', '..', '.cache', 'clients');
const ASKED = (process.env.EXPERT_ROUTER_TEST_CLIENTS ?? '').split(',');

export interface Client {
  /** As `npm run test:clients` calls it. */
  readonly client: string;
  readonly name: string;
}

/** A suite that needs a client; skipped, with the reason in its title, where this run did not ask for it. */
export function describeClient({ client, name }: Client, suite: () => void): void {
  if (ASKED.includes(client)) describe(name, suite);
  else
    describe.skip(`${name}: npm run test:clients ${client} installs and runs it`, () => {
      it('is skipped', () => {});
    });
}

/** A file of an environment that clients are installed in. */
export function installed(environment: 'node' | 'python' | 'frameworks', ...path: readonly string[]): string {
  return join(FOLDER, environment, ...path);
}

/** Notes for docs/clients.md what a client has just been seen to do. */
export function worked(client: Client, version: string, what: string): void {
  const file = process.env.EXPERT_ROUTER_CLIENT_RESULTS;
  if (file) appendFileSync(file, `${JSON.stringify({ ...client, version, what })}\n`);
}
