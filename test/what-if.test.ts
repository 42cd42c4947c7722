/** What would have been, over HTTP: asked rightly, wrongly and by those who may not, and beside requests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { WhatIfAnswer } from '../src/replaying/what-if.ts';
import type { WhatIfOptions } from '../src/serving/board/what-if.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'what-if-'));
const EXPERTS = `experts:
  - { id: cook, kind: emulated, description: "Cooking, recipes, ingredients" }
  - { id: general, kind: emulated, fallback: true }
`;
const recording = (name: string): string => `records: { dir: ${join(folder, name)} }\n${EXPERTS}`;
const expert = { model: 'llama-3.1-8b', gpu: 'h100', replicas: 1 };
const asked = { minutes: 5, experts: { cook: expert, general: expert } };

let running: RunningGateway | null = null;
let router: RouterProcess | null = null;
afterEach(async () => {
  await running?.close();
  await router?.stop();
  running = null;
  router = null;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function cookOften(url: string): Promise<void> {
  for (let n = 0; n < 6; n++) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 8,
        messages: [{ role: 'user', content: `A recipe for soup with ${n} carrots` }],
      }),
    });
    await response.text();
  }
}

async function refusal(response: Response): Promise<{ message: string; code: string }> {
  return ((await response.json()) as { error: { message: string; code: string } }).error;
}

/** Asks until the records have reached the disk, as they do once a second. */
async function replayed(url: string, change: object, requests = 6): Promise<WhatIfAnswer> {
  for (let tries = 0; ; tries++) {
    const response = await fetch(`${url}/ui/api/what-if`, {
      method: 'POST',
      body: JSON.stringify({ ...asked, change }),
    });
    const answer = (await response.json()) as WhatIfAnswer;
    if ((response.ok && answer.recorded.requests === requests) || tries > 50) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('what if', () => {
  it('replays recorded requests as they were and with a change, beside what was recorded', async () => {
    running = await gateway(recording('as-they-were'));
    await cookOften(running.url);
    const answer = await replayed(running.url, { policy: 'round-robin' });
    expect(answer.recorded).toMatchObject({ requests: 6, errors: 0, experts: { cook: 6 }, at_home: 1 });
    expect(answer.as_was).toMatchObject({
      requests: 6,
      experts: { cook: 6, general: 0 },
      gpus: 2,
      usd_per_hour: 5,
    });
    expect(answer.as_was.miss.at_home).toBe(0);
    expect(answer.as_was.miss.ttft_p50).toEqual(expect.any(Number));
    expect(answer.changed).toMatchObject({ requests: 6, experts: { cook: 3, general: 3 }, at_home: 0.5 });
    const larger = { ...expert, gpu: 'h200', replicas: 3 };
    const more = await replayed(running.url, { experts: { cook: larger } });
    expect(more.changed).toMatchObject({ gpus: 4, experts: { cook: 6 } });
    expect(more.changed.usd_per_hour).toBeCloseTo(3 * 3.4 + 2.5);
  });

  it('times engines by the records, so that it misses little of what was', async () => {
    running = await gateway(
      recording('timed').replaceAll('kind: emulated', 'kind: emulated, tokens_per_second: 80'),
    );
    for (let round = 0; round < 4; round++) await cookOften(running.url);
    const slower = { ...expert, gpu: 'l4' };
    const {
      as_was: asWas,
      changed,
      notices,
    } = await replayed(running.url, { experts: { cook: slower } }, 24);
    // Taken for a model on an H100, these experts would seem to write two to three times as fast as they do.
    expect(Math.abs(asWas.miss.tpot_p50!)).toBeLessThan(0.2);
    expect(changed.tpot_ms.p50).toBeGreaterThan(1.5 * asWas.tpot_ms.p50!);
    expect(notices).toEqual([
      { kind: 'timed', experts: ['cook'] },
      { kind: 'modelled', experts: ['general'] },
    ]);
  });

  it('is computed on a thread of its own, in a gateway of two processes', async () => {
    const file = join(folder, 'thread.yaml');
    writeFileSync(file, recording('thread'));
    router = await routerProcess(['--config', file, '--workers', '2']);
    await cookOften(router.url);
    const answer = await replayed(router.url, {});
    expect(answer.changed).toEqual(answer.as_was);
    expect(answer.recorded.requests).toBe(6);
  });

  it('says what it can be asked', async () => {
    running = await gateway(recording('options'));
    const options = (await (await fetch(`${running.url}/ui/api/what-if`)).json()) as WhatIfOptions;
    expect(options).toMatchObject({
      records: true,
      policy: { name: 'spill' },
      router: 'default.router.safetensors',
      experts: { cook: { model: 'llama-3.1-8b', replicas: 1 } },
    });
    expect(options.policies.map(({ id }) => id)).toContain('nearest');
  });

  it.each([
    [{}, /experts/],
    [{ ...asked, minutes: 0 }, /minutes/],
    [{ ...asked, minutes: 1e9 }, /minutes/],
    [{ ...asked, experts: { cook: expert } }, /experts.general: say which model/],
    [{ ...asked, experts: { ...asked.experts, cook: { ...expert, gpu: 'abacus' } } }, /abacus/],
    [
      { ...asked, experts: { ...asked.experts, cook: { ...expert, model: '../../etc/passwd.json' } } },
      /no built-in shape/,
    ],
    [{ ...asked, experts: { ...asked.experts, cook: { ...expert, replicas: 1e6 } } }, /replicas/],
    [{ ...asked, change: { router: '../../etc/passwd' } }, /there is no/],
    [{ ...asked, change: { experts: { nobody: expert } } }, /no such expert/],
    [{ ...asked, change: { policy: 'magic' } }, /policy/],
    [{ ...asked, change: { policy: { name: 'spill', seconds_per_affinity: -1 } } }, /policy/],
  ])('refuses %j', async (body, why) => {
    running = await gateway(recording('refuses'));
    await cookOften(running.url);
    await running.close();
    running = await gateway(recording('refuses'));
    const response = await running.post('/ui/api/what-if', body);
    expect(response.status).toBe(400);
    expect((await refusal(response)).message).toMatch(why);
  });

  it('says how to begin where nothing is recorded', async () => {
    running = await gateway(EXPERTS);
    expect(await (await fetch(`${running.url}/ui/api/what-if`)).json()).toMatchObject({ records: false });
    const response = await running.post('/ui/api/what-if', asked);
    expect((await refusal(response)).message).toContain('records: {dir: ./records}');
    const broken = await running.post('/ui/api/what-if', '{');
    expect([broken.status, (await refusal(broken)).code]).toEqual([400, 'invalid_json']);
  });

  it('is for those who may observe', async () => {
    running = await gateway(
      `keys: [{ name: asker, hash: '${hashKey('ask-me')}', roles: [ask] }]\n${recording('keys')}`,
    );
    const headers = { authorization: 'Bearer ask-me' };
    expect((await running.post('/ui/api/what-if', asked)).status).toBe(401);
    expect((await running.post('/ui/api/what-if', asked, headers)).status).toBe(403);
    expect((await fetch(`${running.url}/ui/api/what-if`, { headers })).status).toBe(403);
  });
});
