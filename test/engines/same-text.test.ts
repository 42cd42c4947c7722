/**
 * One prompt, four ways to the same weights: the embedded engine, OpenAI's API, and a real Triton server by gRPC and
 * by HTTP. With the same seed they say the same.
 */
import { homedir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../src/serving/experts/llama/install.ts';
import { cacheFolder } from '../../src/serving/weights/cache-folder.ts';
import { listWeights } from '../../src/serving/weights/inventory.ts';
import { gateway, type RunningGateway } from '../support/gateway.ts';
import { describeWith } from './component.ts';
import { writeRelay } from './triton/repository.ts';
import { type RealTriton, realTriton } from './triton/server.ts';

const folder = cacheFolder(process.env, process.platform, homedir());
const haveModel =
  process.env.EXPERT_ROUTER_TEST_LLAMA === '1' ||
  ((await findEngine(folder)) !== null &&
    (await listWeights(folder)).some(({ state }) => state === 'pinned'));

const WAYS = ['openai', 'triton-grpc', 'triton-http'] as const;

describeWith(['triton'], 'the same weights', (component) => {
  if (!haveModel) {
    describe.skip(`the embedded engine is not in ${folder}; EXPERT_ROUTER_TEST_LLAMA=1 fetches it`, () => {
      it('is skipped', () => {});
    });
    return;
  }
  let direct: RunningGateway;
  let triton: RealTriton;
  let ways: RunningGateway;

  beforeAll(async () => {
    direct = await gateway('experts: [{ id: llama, kind: llama, context: 512, parallel: 1, threads: 1 }]');
    triton = await realTriton(component!, {
      load: ['relay'],
      models: writeRelay,
      environment: { RELAY_URL: direct.url },
    });
    // The template is applied where the weights are.
    const options = 'kind: triton, model: relay, chat_template: plain';
    ways = await gateway(`
experts:
  - { id: openai, kind: openai, url: '${direct.url}', model: llama }
  - { id: triton-grpc, url: '${triton.grpc}', ${options} }
  - { id: triton-http, url: '${triton.http}', ${options} }
`);
  });
  afterAll(async () => {
    await ways?.close();
    await triton?.stop();
    await direct?.close();
  });

  const ask = async (at: RunningGateway, model: string, sampling: object): Promise<string> => {
    const messages = [{ role: 'user', content: 'Name three colours, and say one word about each. 🙂' }];
    const response = await at.post('/v1/chat/completions', { model, messages, max_tokens: 40, ...sampling });
    const { choices } = (await response.json()) as { choices: [{ message: { content: string } }] };
    return choices[0].message.content;
  };

  it.each([
    ['greedily', { temperature: 0 }],
    ['with a seed', { temperature: 0.9, top_p: 0.95, seed: 7 }],
    ['with another seed', { temperature: 0.9, top_p: 0.95, seed: 8 }],
  ])('say the same whichever way they are asked, %s', async (_, sampling) => {
    const expected = await ask(direct, 'llama', sampling);
    expect(expected.length).toBeGreaterThan(5);
    for (const way of WAYS) expect([way, await ask(ways, way, sampling)]).toEqual([way, expected]);
  });

  it('say something else with another seed, so that the test above could fail', async () => {
    const said = (seed: number) => ask(ways, 'triton-grpc', { temperature: 0.9, top_p: 0.95, seed });
    expect(await said(7)).not.toBe(await said(8));
  });
});
