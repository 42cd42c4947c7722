/** Whether what a request leaves behind is nothing, seen in the heap of a whole gateway. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { gateway } from './support/gateway.ts';

const REQUESTS = 4_000;
/** What a request may leave, in bytes: less than its own trace id and prompt take, so that a kept one shows. */
const LEFT_A_REQUEST = 400;

it('invariant 9: memory does not grow with the requests answered', async () => {
  const expert = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"choices":[]}'));
  });
  await new Promise<void>((resolve) => expert.listen(0, '127.0.0.1', resolve));
  const { port } = expert.address() as AddressInfo;
  // Its list of requests has room for a thousand, which fill up in a minute.
  const router = await gateway(
    `dashboard: false\nexperts: [{ id: one, kind: openai, url: 'http://127.0.0.1:${port}' }]`,
  );
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let asked = 0;
  /** @returns bytes in use after so many requests, no two alike */
  const heapAfter = async (requests: number): Promise<number> => {
    for (const end = asked + requests; asked < end; ) {
      const batch = Array.from({ length: 50 }, () => ({
        model: 'auto',
        user: `user ${asked}`,
        messages: [{ role: 'user', content: `Question ${asked++} of many: ${'why '.repeat(50)}` }],
      }));
      const answers = await Promise.all(batch.map((body) => router.post('/v1/chat/completions', body)));
      await Promise.all(answers.map((answer) => answer.text()));
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  try {
    // Whatever is made once has been made then; what is kept of the latest is as much after as before.
    await heapAfter(2 * REQUESTS);
    const before = await heapAfter(REQUESTS);
    const after = await heapAfter(REQUESTS);
    expect((after - before) / REQUESTS).toBeLessThan(LEFT_A_REQUEST);
  } finally {
    await router.close();
    expert.close();
    expert.closeAllConnections();
  }
}, 120_000);
