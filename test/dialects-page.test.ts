/** The commands of docs/dialects.md, executed word by word against the config that stands beside them. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', 'docs', 'dialects.md'), 'utf8');
const [CONFIG] = [...PAGE.matchAll(/```yaml\n(experts:[\s\S]*?)```/g)].map(([, block]) => block!);
const COMMANDS = [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
  block!.split(/^(?=curl )/m).filter((command) => command.startsWith('curl ')),
);

let router: RunningGateway;
beforeAll(async () => {
  const others = ['code', 'general'].map((id) => `  - { id: ${id}, kind: emulated, description: ${id} }\n`);
  router = await gateway(CONFIG! + others.join(''));
});
afterAll(() => router?.close());

it('has commands for what its other pages do not show', () => {
  expect(COMMANDS.join()).toMatch(/decisions[\s\S]*embeddings[\s\S]*rerank/);
});

it.each(COMMANDS)('%s', async (command) => {
  const written = command.replaceAll('localhost:8080', router.url);
  const { stdout } = await promisify(execFile)('bash', ['-c', written]);
  expect(JSON.parse(stdout)).not.toHaveProperty('error');
});
