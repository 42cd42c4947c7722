import { describe, expect, it } from 'vitest';
import { RouterError } from '../../core/errors.ts';
import {
  judgeCancel,
  judgeEngine,
  judgeHealth,
  judgeMetrics,
  judgeModel,
  judgeStream,
  judgeWhole,
} from './judge.ts';
import type { Heard } from './question.ts';

const heard = (body: string | Buffer, more: Partial<Heard> = {}): Heard => ({
  status: 200,
  body: Buffer.from(body),
  pieces: 3,
  firstMs: 10,
  totalMs: 20,
  outcome: { usage: 'unknown', finishReason: 'stop' },
  failure: null,
  ...more,
});
const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object) => event({ choices: [{ index: 0, delta }] });
const answer = (message: object) => JSON.stringify({ choices: [{ index: 0, message }] });

describe('judgeHealth', () => {
  it.each([
    ['connect ECONNREFUSED 127.0.0.1:1', /start the engine/],
    ['getaddrinfo ENOTFOUND gpu9', /host name/],
    ['no connection within 5 s', /firewall/],
    ['self-signed certificate', /certificate/],
    ['GET /v1/models answered 500', /log of the engine/],
  ])('has a cure for %s', (detail, cure) => {
    expect(judgeHealth({ state: 'down', detail })).toMatchObject({
      finding: 'failed',
      cure: expect.stringMatching(cure),
    });
  });

  it('tells loading from down', () => {
    expect(judgeHealth({ state: 'warming', detail: 'loading model' })).toMatchObject({
      finding: 'failed',
      cure: expect.stringMatching(/wait/),
    });
  });
});

describe('judgeEngine', () => {
  it('names engine, version and dialect', () => {
    const triton = { engine: 'Triton', version: '2.51.0', dialect: 'ensemble', models: [], metrics: null };
    expect(judgeEngine(triton)).toMatchObject({ finding: 'ok', detail: 'Triton, 2.51.0, dialect ensemble' });
  });

  it('has a cure for two engines on one port, and for another service', () => {
    const two = new Error('answers of vLLM and llama.cpp come from this one address');
    expect(judgeEngine(two)).toMatchObject({
      finding: 'failed',
      cure: expect.stringMatching(/port of its own/),
    });
    const page = new Error("no engine with OpenAI's API, but a web server with HTML pages (nginx)");
    expect(judgeEngine(page).cure).toMatch(/point url at the engine/);
  });
});

describe('judgeModel', () => {
  it('suggests the nearest name, or the only one', () => {
    expect(judgeModel('lama3', ['llama3', 'qwen'], false)).toMatchObject({
      finding: 'failed',
      cure: expect.stringMatching(/llama3\?/),
    });
    expect(judgeModel('x', ['completely/different'], false).cure).toMatch(/completely\/different/);
  });

  it('believes an answer before a list', () => {
    expect(judgeModel('alias', ['m'], true).finding).toBe('ok');
    expect(judgeModel('m', [], false).finding).toBe('unseen');
  });
});

describe('judgeWhole', () => {
  it('takes text, and thinking for text; usage only as reported', () => {
    const usage = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 };
    const told = judgeWhole(
      heard(answer({ content: null, reasoning_content: 'Hm.' }), {
        outcome: { usage, finishReason: 'length' },
      }),
    );
    expect(told.map((one) => one.finding)).toEqual(['ok', 'ok']);
    expect(judgeWhole(heard(answer({ content: 'Hello' }))).map((one) => one.finding)).toEqual([
      'ok',
      'unseen',
    ]);
  });

  it.each([
    [
      'a model that is not there',
      heard('{"error":{"message":"no such model"}}', { status: 404 }),
      /no such model/,
    ],
    ['an error in a 200', heard('{"error":{"message":"out of memory"}}'), /out of memory/],
    ['an HTML page', heard('<html>'), /<html>/],
    ['an empty body', heard(''), /empty/],
    ['a broken connection', heard('', { failure: new RouterError('expert_cut_stream', 'cut') }), /cut/],
  ])('fails for %s, with a cure', (_, said, detail) => {
    expect(judgeWhole(said)[0]).toMatchObject({
      finding: 'failed',
      detail: expect.stringMatching(detail),
      cure: expect.any(String),
    });
  });
});

describe('judgeStream', () => {
  const whole = chunk({ role: 'assistant' }) + chunk({ content: 'Hé' }) + chunk({});

  it('is content with text and [DONE]', () => {
    expect(judgeStream(heard(`${whole}data: [DONE]\n\n`))).toMatchObject({
      finding: 'ok',
      detail: expect.stringMatching(/“Hé” in 3 chunks/),
    });
  });

  it('is content with a finish reason instead of [DONE]', () => {
    const finished = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    expect(judgeStream(heard(whole + finished))).toMatchObject({ finding: 'ok' });
  });

  it.each([
    ['no [DONE]', whole, /no \[DONE\]/],
    [
      'an error event',
      `${chunk({ content: 'H' })}${event({ error: { message: 'restarting' } })}`,
      /restarting/,
    ],
    ['no event at all', '{"choices":[]}', /no events/],
    [
      'an end within a character',
      Buffer.from(`${chunk({ content: 'Hé' })}`).subarray(0, -10),
      /UTF-8|DONE|events/,
    ],
    ['half a character at the end', Buffer.concat([Buffer.from(whole), Buffer.from([0xf0, 0x9f])]), /UTF-8/],
  ])('fails for %s', (_, body, detail) => {
    expect(judgeStream(heard(body))).toMatchObject({
      finding: 'failed',
      detail: expect.stringMatching(detail),
      cure: expect.any(String),
    });
  });
});

describe('judgeCancel', () => {
  const seen = (before: number, during: number, after: number) =>
    judgeCancel({ early: null, counts: { before, during, after }, afterMs: 40 }).finding;

  it('is ok only where the count was seen to rise and to fall back', () => {
    expect(seen(0, 1, 0)).toBe('ok');
    expect(seen(3, 4, 2)).toBe('ok');
    expect(seen(0, 1, 1)).toBe('failed');
    expect(seen(2, 2, 2)).toBe('unseen');
    expect(judgeCancel({ early: null, counts: null, afterMs: 0 }).finding).toBe('unseen');
    expect(judgeCancel({ early: 'finished: stop', counts: null, afterMs: 0 }).finding).toBe('unseen');
  });
});

describe('judgeMetrics', () => {
  it('tells none, which is no fault, from unreadable, which is', () => {
    expect(judgeMetrics(null, null, 'start llama-server with --metrics')).toMatchObject({
      finding: 'unseen',
      cure: 'start llama-server with --metrics',
    });
    expect(judgeMetrics(new Error('renamed'), null, undefined)).toMatchObject({ finding: 'failed' });
    const load = { running: 1, waiting: null, kvCacheUse: 0.5 };
    expect(judgeMetrics(load, 'http://h/metrics', undefined).detail).toBe(
      'running 1, waiting ?, KV cache 50 %, at http://h/metrics',
    );
  });
});
