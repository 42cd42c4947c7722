/** How long answers under way may take once a gateway is told to stop. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { routerProcess } from './support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'grace-'));
afterAll(() => rmSync(folder, { recursive: true }));

// An answer of a hundred seconds; without the option it would go on for 20 of them.
it.each(['1', '2'])('is what --grace says, with --workers %s', { timeout: 60_000 }, async (workers) => {
  const config = join(folder, 'experts.yaml');
  writeFileSync(config, 'experts: [{ id: slow, kind: emulated, tokens_per_second: 2 }]\n');
  const router = await routerProcess(['--config', config, '--workers', workers, '--grace', '700ms']);
  const answer = await fetch(`${router.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ stream: true, max_tokens: 200, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  const reader = answer.body!.getReader();
  await reader.read();
  const gone = once(router.process, 'exit');
  router.process.kill('SIGTERM');
  let read = '';
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    read += Buffer.from(piece.value).toString();
  expect(read).toContain('shutting_down');
  expect(read.split('"content"').length).toBeLessThan(20);
  expect((await gone)[0]).toBe(0);
});
