/**
 * The suite that every kind of expert must pass; each kind's tests run it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RouterError } from '../../core/errors.ts';
import type { ChatBody, CompletionBody } from '../dialects/openai/bodies.ts';
import { events, listen, requestOf, textOf, until } from './expert.contract.tools.ts';
import type { Expert } from './expert.ts';

export interface ContractOptions {
  /** Upper bound of one answer, so that a slow engine keeps the suite short. */
  readonly maxTokens?: number;
  /** What is still in use when nothing runs; must come back to this after a cancellation. */
  readonly inUse?: (expert: Expert) => Promise<number> | number;
  /** Relaying kinds leave parameters to the server behind them. */
  readonly checksParameters?: boolean;
  /** Whether the API behind takes no message of white space alone, which is then refused instead of answered. */
  readonly refusesBlank?: boolean;
  /** Engines that do not count tokens, or do not say why they ended, must leave both unknown. */
  readonly tells?: { readonly usage?: boolean; readonly finishReason?: boolean };
}

export function describeExpert(
  name: string,
  makeExpert: () => Promise<Expert>,
  { maxTokens = 64, inUse, checksParameters = true, refusesBlank = false, tells = {} }: ContractOptions = {},
): void {
  describe(`expert contract: ${name}`, () => {
    let expert: Expert;
    const { usage: tellsUsage = true, finishReason: tellsReason = true } = tells;
    const messages = [{ role: 'user', content: 'Count slowly from one to twenty, in words.' }];
    const basis = { messages, temperature: 0, max_tokens: maxTokens, seed: 1 };
    const chat = (more: object = {}) => listen(expert, requestOf({ ...basis, ...more } as ChatBody));

    beforeAll(async () => {
      expert = await makeExpert();
    });
    afterAll(() => expert?.close());

    it('answers whole, with head, one JSON body and usage as reported', async () => {
      const { status, headers, body, outcome } = await chat().done;
      const json = JSON.parse(body);
      expect(status).toBe(200);
      expect(headers['content-type']).toContain('application/json');
      expect(json).toMatchObject({ object: 'chat.completion', choices: [{ index: 0 }] });
      expect(typeof json.id).toBe('string');
      expect(Number.isInteger(json.created)).toBe(true);
      expect(json.choices[0].message).toMatchObject({ role: 'assistant' });
      expect(textOf(body).length).toBeGreaterThan(0);
      if (tellsUsage)
        expect(json.usage.total_tokens).toBe(json.usage.prompt_tokens + json.usage.completion_tokens);
      else expect(json.usage).toBeUndefined();
      expect(outcome?.usage === 'unknown').toBe(!tellsUsage);
      expect(outcome).toMatchObject({ finishReason: json.choices[0].finish_reason ?? 'unknown' });
    });

    it('streams the same text in chunks: role first, finish reason last, then [DONE]', async () => {
      const whole = await chat().done;
      const { headers, body } = await chat({ stream: true }).done;
      const chunks = events(body);
      expect(headers['content-type']).toContain('text/event-stream');
      expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(chunks[0].choices[0].delta.role).toBe('assistant');
      if (tellsReason) expect(chunks.at(-1).choices[0].finish_reason).toMatch(/stop|length/);
      else expect(chunks.at(-1).choices[0].finish_reason).toBeNull();
      expect(chunks.length).toBeGreaterThan(3);
      expect(textOf(body)).toBe(textOf(whole.body));
    });

    it('reports usage in a stream only on request, in a chunk of its own', async () => {
      const silent = events((await chat({ stream: true }).done).body);
      expect(silent.some((chunk) => chunk.usage)).toBe(false);
      const told = events((await chat({ stream: true, stream_options: { include_usage: true } }).done).body);
      if (!tellsUsage) return expect(told.some((chunk) => chunk.usage)).toBe(false);
      expect(told.at(-1).choices).toEqual([]);
      expect(told.at(-1).usage.completion_tokens).toBeGreaterThan(0);
    });

    it('answers the completions endpoint', async () => {
      const body = { prompt: 'One, two, three,', max_tokens: 8, temperature: 0 } as CompletionBody;
      const whole = JSON.parse((await listen(expert, requestOf(body)).done).body);
      expect(whole).toMatchObject({ object: 'text_completion', choices: [{ index: 0 }] });
      const streamed = await listen(expert, requestOf({ ...body, stream: true } as CompletionBody)).done;
      expect(textOf(streamed.body)).toBe(whole.choices[0].text);
    });

    it('ends with length at max_tokens', async () => {
      const { body } = await chat({ max_tokens: 3 }).done;
      const json = JSON.parse(body);
      // A count that has reached the limit is as good as a reason.
      if (tellsUsage || tellsReason) expect(json.choices[0].finish_reason).toBe('length');
      if (tellsUsage) expect(json.usage.completion_tokens).toBe(3);
    });

    it('ends before a stop text, streamed or not, wherever tokens meet', async () => {
      const full = textOf((await chat().done).body);
      const stop = full.slice(Math.floor(full.length / 3), Math.floor(full.length / 3) + 5);
      const expected = full.slice(0, full.indexOf(stop));
      for (const stream of [false, true]) {
        const { body, outcome } = await chat({ stop: [stop, 'never said'], stream }).done;
        expect(textOf(body)).toBe(expected);
        expect(outcome?.finishReason).toBe('stop');
      }
    });

    it('says nothing after cancel before the first byte, and lets go', async () => {
      const running = chat({ stream: true });
      running.generation.cancel();
      await settle(inUse && (() => inUse(expert)));
      expect(running.calls).toEqual([]);
    });

    it('says nothing after cancel in mid-stream, and lets go', async () => {
      const running = chat({ stream: true });
      await running.first;
      running.generation.cancel();
      const before = running.calls.length;
      await settle(inUse && (() => inUse(expert)));
      expect(running.calls.length).toBe(before);
      expect(running.calls).not.toContain('end');
      running.generation.cancel();
      running.generation.resume();
    });

    it('pauses while the reader is slow, and goes on when it resumes', async () => {
      const running = listen(expert, requestOf({ ...basis, stream: true } as ChatBody), { pauseAfter: 2 });
      await until(async () => running.calls.filter((call) => call === 'data').length >= 2);
      await settle();
      const paused = running.calls.length;
      await settle();
      expect(running.calls.length).toBe(paused);
      expect(running.calls).not.toContain('end');
      running.unpause();
      const { body } = await running.done;
      expect(textOf(body)).toBe(textOf((await chat().done).body));
    });

    it('serves several at once without mixing them', async () => {
      const asked = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'];
      const ask = (word: string) =>
        listen(expert, requestOf({ ...basis, max_tokens: 8, messages: [{ role: 'user', content: word }] }))
          .done;
      const together = await Promise.all(asked.map(ask));
      expect(together.every((reply) => reply.status === 200)).toBe(true);
      const ids = together.map((reply) => JSON.parse(reply.body).id);
      expect(new Set(ids).size).toBe(asked.length);
    });

    it.each([
      ['no messages', { messages: [] }],
      ['messages of a wrong type', { messages: 'hello' }],
      ['a message without role', { messages: [{ content: 'x' }] }],
      ['content of a wrong type', { messages: [{ role: 'user', content: 7 }] }],
      ['a temperature in words', { messages, temperature: 'hot' }],
      ['max_tokens of zero', { messages, max_tokens: 0 }],
      ['two answers', { messages, n: 2 }],
      ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }],
    ])('refuses %s with a RouterError', async (_, body) => {
      if (!checksParameters) return;
      const { failure } = await listen(expert, requestOf(body as unknown as ChatBody)).done;
      expect(failure).toBeInstanceOf(RouterError);
      expect(failure?.kind.status).toBe(400);
    });

    it.each(['🙂👩‍👩‍👧 emoji', '日本語の質問です。', 'lone \ud83d surrogate \ude00', '  \n ', 'ا ب ت'])(
      'takes %j and answers in valid UTF-8',
      async (content) => {
        const { body, failure } = await chat({ messages: [{ role: 'user', content }], max_tokens: 6 }).done;
        if (refusesBlank && content.trim() === '') return expect(failure?.code).toBe('invalid_body');
        expect(failure).toBeUndefined();
        expect(Buffer.from(textOf(body), 'utf8').toString('utf8')).toBe(textOf(body));
      },
    );

    it('answers content given as a list of parts like the same text', async () => {
      const content = 'Say a colour.';
      const plain = await chat({ messages: [{ role: 'user', content }], max_tokens: 8 }).done;
      const parts = [{ type: 'text', text: content }];
      const listed = await chat({ messages: [{ role: 'user', content: parts }], max_tokens: 8 }).done;
      expect(textOf(listed.body)).toBe(textOf(plain.body));
    });

    it('is ready while open; close ends what runs and refuses what comes', async () => {
      const own = await makeExpert();
      const { signal } = new AbortController();
      expect((await own.health(signal)).state).toBe('ready');
      if (own.prove) expect((await own.prove(signal)).state).toBe('ready');
      const running = listen(own, requestOf({ ...basis, stream: true } as ChatBody), { pauseAfter: 1 });
      await running.first;
      await own.close();
      expect((await running.done).failure?.code).toBe('shutting_down');
      const late = await listen(own, requestOf(basis as ChatBody)).done;
      expect(late.failure?.code).toBe('shutting_down');
      if (own.prove) expect((await own.prove(signal)).state).toBe('down');
      await own.close();
    });
  });
}

/** Waits a moment for late calls, then until nothing is in use. */
async function settle(inUse?: () => Promise<number> | number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
  if (inUse) await until(async () => (await inUse()) === 0);
}
