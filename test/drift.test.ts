/** Requests unlike the training's are noticed: as a metric, as an event, once. */
import { afterEach, describe, expect, it } from 'vitest';
import type { BoardEvent } from '../src/serving/board/wire.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';

const one = '{ id: one, kind: emulated, fallback: true, tokens_per_second: 100000 }';
let running: RunningGateway | null = null;
afterEach(async () => {
  await running?.close();
  running = null;
});

async function events(): Promise<readonly BoardEvent[]> {
  const response = await fetch(`${running!.url}/ui/api/stream`);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('\n\n')) text += (await reader.read()).value ?? '';
  await reader.cancel();
  return (JSON.parse(/^data: (.*)$/m.exec(text)![1]!) as { events: readonly BoardEvent[] }).events;
}

const metric = (name: string) => running!.metric(`expert_router_${name}`);

describe('drift', () => {
  it('of requests that are all alike is a metric, and one event', async () => {
    running = await gateway(`experts: [${one}]`);
    expect([await metric('drift_distance'), await metric('drift_bound')]).toEqual([0, 1]);
    for (let n = 0; n < 210; n++)
      await (
        await running.post('/v1/chat/completions', {
          max_tokens: 1,
          messages: [{ role: 'user', content: `A recipe for soup with ${n} carrots` }],
        })
      ).text();
    expect(await metric('drift_distance')).toBeGreaterThan((await metric('drift_bound'))!);
    await eventually('drift is an event', async () => (await events()).some(({ kind }) => kind === 'drift'));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect((await events()).filter(({ kind }) => kind === 'drift')).toHaveLength(1);
  });

  it('is no event of a few requests, and another number of replicas is one', async () => {
    running = await gateway(`experts: [${one}]`);
    await (
      await running.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'soup' }] })
    ).text();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await running.reload(
      'experts: [{ id: one, kind: openai, url: ["http://127.0.0.1:9", "http://127.0.0.1:10"] }]',
    );
    await eventually('two replicas are an event', async () =>
      (await events()).some(({ kind }) => kind === 'scaled'),
    );
    const seen = await events();
    expect(seen.find(({ kind }) => kind === 'scaled')).toMatchObject({ what: 'one', replicas: [1, 2] });
    expect(seen.some(({ kind }) => kind === 'drift')).toBe(false);
  });
});
