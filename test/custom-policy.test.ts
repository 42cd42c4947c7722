/** A policy that a program brings along decides in the gateway like one of the table. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { POLICIES } from '../src/deciding/routing/policies/index.ts';
import { definePolicy, type PolicyContext } from '../src/deciding/routing/policy.ts';
import { composeRouter, idleLoads, loadRouterModel } from '../src/serving/app/compose.ts';
import { SHIPPED } from '../src/serving/config/catalogue.ts';
import { parseConfig } from '../src/serving/config/load.ts';
import { readAsk } from '../src/serving/dialects/index.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';

it('ranks by its own options, and sees the request', async () => {
  const seen: PolicyContext[] = [];
  const cheapest = definePolicy({
    id: 'cheapest',
    summary: 'the expert that asks least for it',
    options: z.strictObject({
      prices: z.record(z.string(), z.number()).describe('US dollars per million tokens, by expert'),
      preset: z.number().default(1).describe('the price of an expert that is not named'),
    }),
    rank: (context, { prices, preset }) => {
      seen.push(context);
      const price = ({ id }: { id: string }): number => prices[id] ?? preset;
      return context.candidates.toSorted((a, b) => price(a) - price(b));
    },
  });
  const policies = [...POLICIES, cheapest];
  const expert = (id: string) => `  - { id: ${id}, kind: openai, url: "http://127.0.0.1:9" }`;
  const config = parseConfig(
    [
      'policy: { name: cheapest, prices: { large: 5, small: 0.2 } }',
      'request_timeout: 90s',
      'experts:',
      ...['large', 'other', 'small'].map(expert),
    ].join('\n'),
    'test.yaml',
    {},
    { ...SHIPPED, policies },
  );
  const router = await composeRouter(config, await loadRouterModel(config), idleLoads(config), { policies });
  const body = { messages: [{ role: 'user', content: 'Sort a list in Python' }], max_tokens: 20 };
  const request = readAsk(openAiChat, Buffer.from(JSON.stringify(body)));
  const { decision } = await router.route(request, undefined, 7);
  expect(decision.ranking.map((ranked) => ranked.expert)).toEqual(['small', 'other', 'large']);
  expect(seen[0]!.request).toMatchObject({ outputTokens: 20, priority: 7, deadline: 90 });
  expect(seen[0]!.request.promptTokens).toBeGreaterThan(5);
  expect(seen[0]!.request.prefixKey).toContain('Sort a list');
  // The table that comes with the product does not know it.
  await expect(composeRouter(config, router.model, idleLoads(config))).rejects.toThrow(
    '"cheapest" is not known',
  );
});
