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
