/** The llama kind against the contract, with the real engine and weights where they are in the cache. */
import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { cacheFolder } from '../../weights/cache-folder.ts';
import { listWeights } from '../../weights/inventory.ts';
import { listen, requestOf, textOf } from '../expert.contract.tools.ts';
import { describeExpert } from '../expert.contract.ts';
import { healthText } from '../expert.ts';
import type { ExpertDeps } from '../kind.ts';
import { createLlamaKind } from './index.ts';
import { findEngine } from './install.ts';

const folder = cacheFolder(process.env, process.platform, homedir());
const forced = process.env.EXPERT_ROUTER_TEST_LLAMA === '1';
const present =
  (await findEngine(folder)) !== null && (await listWeights(folder)).some((f) => f.state === 'pinned');

if (forced || present) {
  const kind = createLlamaKind();
  const make = (id = 'llama') =>
    kind.create(id, kind.options.parse({ context: 512, parallel: 2, threads: 1 }), deps());
  const inUse = async (expert: { health: Awaited<ReturnType<typeof make>>['health'] }) => {
    const health = await expert.health(new AbortController().signal);
    return healthText(health).startsWith('2 of 2 sequences free, 0 waiting') ? 0 : 1;
  };
  describeExpert('llama', () => make(), { maxTokens: 12, inUse });

  describe('llama', () => {
    it('shares weights between experts, and leaves the queue when cancelled', async () => {
      const [one, two] = [await make('one'), await make('two')];
      const long = requestOf({
        messages: [{ role: 'user', content: 'Tell a story.' }],
        max_tokens: 200,
        stream: true,
      });
      const running = [listen(one, long), listen(two, long)];
      await Promise.all(running.map((each) => each.first));
      const waiting = listen(two, long);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(healthText(await one.health(new AbortController().signal))).toContain(
        '0 of 2 sequences free, 1 waiting',
      );
      waiting.generation.cancel();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(healthText(await one.health(new AbortController().signal))).toContain('0 waiting');
      await one.close();
      expect(running[1]?.calls).not.toContain('fail');
      await two.close();
    });

    const CITY = {
      type: 'object',
      properties: { city: { $ref: '#/$defs/name' }, unit: { enum: ['C', 'F'] }, days: { type: 'integer' } },
      required: ['city', 'unit'],
      $defs: { name: { type: ['string', 'null'] } },
    };
    const TOOLS = [
      { type: 'function', function: { name: 'get_weather', description: 'The weather.', parameters: CITY } },
      { type: 'function', function: { name: 'tell_time' } },
    ];
    const asked = [{ role: 'user', content: 'What is the weather in Bern?' }];

    it.each([
      [{ type: 'function', function: { name: 'get_weather' } }, ['get_weather']],
      ['required', ['get_weather', 'tell_time']],
    ])('calls a tool that is demanded, with arguments by its schema: %j', async (choice, names) => {
      const expert = await make();
      const body = { messages: asked, tools: TOOLS, tool_choice: choice, max_tokens: 120 };
      const { body: answer } = await listen(expert, requestOf(body as never)).done;
      const { message, finish_reason: reason } = JSON.parse(answer).choices[0];
      expect([reason, message.content, message.tool_calls.length]).toEqual(['tool_calls', null, 1]);
      const { name, arguments: json } = message.tool_calls[0].function;
      expect(names).toContain(name);
      if (name === 'get_weather')
        expect(JSON.parse(json)).toEqual({
          city: expect.toSatisfy((city) => city === null || typeof city === 'string'),
          unit: expect.stringMatching(/^[CF]$/),
        });
      await expert.close();
    });

    const SHOP = [
      ['search', 'Search the product catalogue', 'query'],
      ['refund', 'Refund an order', 'order_id'],
    ].map(([name, description, argument]) => {
      const parameters = { type: 'object', properties: { [argument!]: { type: 'string' } } };
      return { type: 'function', function: { name, description, parameters } };
    });
    const SEARCH = { role: 'user', content: 'Search for garden chairs' };

    it('calls a tool that it need not call, or answers, streamed and whole', async () => {
      const expert = await make();
      const heard = (more: object) =>
        listen(expert, requestOf({ tools: SHOP, temperature: 0, max_tokens: 100, ...more } as never)).done;
      const whole = await heard({ messages: [SEARCH] });
      const [{ message, finish_reason: reason }] = JSON.parse(whole.body).choices;
      expect([reason, message.content, message.tool_calls.length]).toEqual(['tool_calls', null, 1]);
      expect(message.tool_calls[0].function.name).toBe('search');
      expect(JSON.parse(message.tool_calls[0].function.arguments)).toEqual({ query: expect.any(String) });
      expect(whole.headers['x-expert-router-dropped']).toBeUndefined();
      const streamed = await heard({ messages: [SEARCH], tool_choice: 'auto', stream: true });
      expect(streamed.body).toContain('"name":"search"');
      expect(streamed.body).not.toContain('tool_call>');
      expect(streamed.body).toContain('"finish_reason":"tool_calls"');
      const greeted = await heard({ messages: [{ role: 'user', content: 'Good evening' }] });
      expect(JSON.parse(greeted.body).choices[0]).toMatchObject({
        finish_reason: 'stop',
        message: { content: expect.stringMatching(/evening/i) },
      });
      await expert.close();
    });

    it('reads what tools said, and says that tools are left out beside JSON', async () => {
      const expert = await make();
      const call = { type: 'function', function: { name: 'search', arguments: '{"query":"chairs"}' } };
      const messages = [
        SEARCH,
        { role: 'assistant', content: null, tool_calls: [{ id: 'a', ...call }] },
        { role: 'tool', tool_call_id: 'a', content: 'Found 1 product: the Palma chair, 49 euros.' },
      ];
      const told = await listen(
        expert,
        requestOf({ messages, tools: SHOP, temperature: 0, max_tokens: 60 } as never),
      ).done;
      expect(JSON.parse(told.body).choices[0].message.content).toMatch(/Palma/);
      const format = { response_format: { type: 'json_object' }, max_tokens: 60 };
      const json = await listen(expert, requestOf({ messages: [SEARCH], tools: SHOP, ...format } as never))
        .done;
      expect(json.headers['x-expert-router-dropped']).toBe('tools');
      await expert.close();
    });

    it('answers in JSON, by a schema too, whole and streamed', async () => {
      const expert = await make();
      const schema = { type: 'object', properties: { done: { type: 'boolean' }, n: { type: 'integer' } } };
      const format = { type: 'json_schema', json_schema: { name: 'a', schema } };
      for (const stream of [false, true]) {
        const body = { messages: asked, response_format: format, max_tokens: 60, stream };
        const answer = JSON.parse(textOf((await listen(expert, requestOf(body as never)).done).body));
        expect(answer).toEqual({ done: expect.any(Boolean), n: expect.any(Number) });
      }
      await expert.close();
    });

    it('names both numbers when a prompt is too long, and takes control tokens for plain text', async () => {
      const expert = await make();
      expect(expert.context).toBe(512);
      const content = 'word '.repeat(3000);
      const { failure } = await listen(expert, requestOf({ messages: [{ role: 'user', content }] })).done;
      expect(failure?.code).toBe('context_length_exceeded');
      expect(failure?.message).toMatch(/512 .*3\d\d\d/);
      const usage = async (text: string) =>
        JSON.parse(
          (
            await listen(expert, requestOf({ messages: [{ role: 'user', content: text }], max_tokens: 1 }))
              .done
          ).body,
        ).usage.prompt_tokens as number;
      expect(await usage('<|im_end|>')).toBeGreaterThan((await usage('a')) + 2);
      expect(textOf('data: [DONE]\n\n')).toBe('');
      await expert.close();
    });
  });
} else {
  describe.skip(`llama: engine or weights are not in ${folder}; EXPERT_ROUTER_TEST_LLAMA=1 fetches them`, () => {
    it('is skipped', () => {});
  });
}

function deps(): ExpertDeps {
  let ids = 0;
  return {
    cacheFolder: folder,
    environment: process.env,
    newId: (prefix) => `${prefix}-${++ids}`,
    now: () => 1_700_000_000_000,
    log: () => {},
  };
}
