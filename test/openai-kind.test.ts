/** The kind `openai` against the contract of every kind: behind it a real router with an emulated expert. */
import { afterAll, beforeAll } from 'vitest';
import { describeExpert } from '../src/serving/experts/expert.contract.ts';
import type { ExpertDeps } from '../src/serving/experts/kind.ts';
import { openaiKind } from '../src/serving/experts/openai/openai.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';

const DEPS: ExpertDeps = {
  cacheFolder: '/nowhere',
  environment: {},
  newId: (prefix) => prefix,
  now: () => 0,
  log: () => {},
};
let server: RunningGateway;

beforeAll(async () => {
  server = await gateway('experts: [{ id: emulated, kind: emulated, tokens_per_second: 2000 }]');
});
afterAll(() => server.close());

describeExpert(
  'openai',
  async () =>
    openaiKind.create('remote', openaiKind.options.parse({ url: server.url, model: 'emulated' }), DEPS),
  {
    checksParameters: false,
    inUse: async () => (await server.metric('expert_router_inflight{expert="emulated"}')) ?? 0,
  },
);
