/** What one worker remembers of a conversation, all know a moment later. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

let router: RouterProcess;
beforeAll(async () => {
  const config = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
  writeFileSync(
    config,
    `experts:
  - { id: code, kind: emulated, description: 'Writes, explains and debugs programs' }
  - { id: cooking, kind: emulated, description: 'Cooking, recipes, baking' }
  - { id: general, kind: emulated, fallback: true }\n`,
  );
  router = await routerProcess(['--config', config, '--workers', '3']);
}, 60_000);
afterAll(() => router.stop());

/** On a connection of its own, which any worker may get. */
async function askedOnce(path: string, content: string): Promise<string | null> {
  const answer = await fetch(`${router.url}${path}`, {
    method: 'POST',
    headers: { connection: 'close', 'x-session-id': 'recipes' },
    body: JSON.stringify({ messages: [{ role: 'user', content }] }),
  });
  await answer.text();
  return answer.headers.get('x-expert-router-expert');
}

it('a named conversation goes on at its expert, whichever worker gets the next reply', async () => {
  expect(await askedOnce('/v1/chat/completions', 'How do I bake a sourdough bread?')).toBe('cooking');
  await eventually('all workers know where the conversation is', async () => {
    const replies = Array.from({ length: 12 }, () => askedOnce('/v1/route', 'the second one'));
    return (await Promise.all(replies)).every((expert) => expert === 'cooking');
  });
});
