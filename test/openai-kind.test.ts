/**
 * The kind `openai` against the contract of every kind, asked in its own dialect and in another: behind it a real router
 * with an emulated expert.
 */
import { afterAll, beforeAll } from 'vitest';
import type { Ask } from '../src/serving/dialects/ask.ts';
import type { OpenAiAsk } from '../src/serving/dialects/openai/ask.ts';
import { describeExpert } from '../src/serving/experts/expert.contract.ts';
import type { Expert } from '../src/serving/experts/expert.ts';
import type { ExpertDeps } from '../src/serving/experts/kind.ts';
import { openaiKind } from '../src/serving/experts/openai/index.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';

let ids = 0;
const DEPS: ExpertDeps = {
  cacheFolder: '/nowhere',
  environment: {},
  newId: (prefix) => `${prefix}-${++ids}`,
  now: () => 0,
  log: () => {},
};
let server: RunningGateway;

beforeAll(async () => {
  server = await gateway('experts: [{ id: emulated, kind: emulated, tokens_per_second: 2000 }]');
});
afterAll(() => server.close());

const make = (): Promise<Expert> =>
  openaiKind.create('remote', openaiKind.options.parse({ url: server.url, model: 'emulated' }), DEPS);
const inUse = async () => (await server.metric('expert_router_inflight{expert="emulated"}')) ?? 0;

describeExpert('openai', make, { checksParameters: false, inUse });

/** The same in a dialect that the expert does not speak: it has the neutral fields to go by. */
function foreign(ask: OpenAiAsk): Ask {
  const { dialect, model, stream, body, partial, turns, affinityKey, answerLimit } = ask;
  const { session, stored, toolLoop } = ask;
  const { endpoint, wantsUsage } = ask; // for the writer alone
  return {
    dialect: { ...dialect, id: 'foreign' },
    ...{ model, stream, body, partial, turns, affinityKey, answerLimit, endpoint, wantsUsage },
    ...{ session, stored, toolLoop },
    check: () => ask.check(),
    prompt: () => ask.prompt(),
    parameters: () => ask.parameters(),
    tools: () => ask.tools(),
    format: () => ask.format(),
    demands: () => ask.demands(),
    wishes: () => ask.wishes(),
    unread: () => ask.unread(),
    fieldOf: (parameter) => ask.fieldOf(parameter),
  };
}

describeExpert(
  'openai, asked in another dialect',
  async () => {
    const expert = await make();
    const generate: Expert['generate'] = (request, sink) =>
      expert.generate({ ...request, ask: foreign(request.ask as OpenAiAsk) }, sink);
    return Object.assign(Object.create(expert) as Expert, {
      generate,
      health: (signal: AbortSignal) => expert.health(signal),
      close: () => expert.close(),
    });
  },
  { inUse },
);
