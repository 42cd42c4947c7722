import { describe, expect, it } from 'vitest';
import { RouterError } from '../../core/errors.ts';
import type { EngineFailure } from '../engines/failure.ts';
import { ENGINES, engineNamed } from '../engines/index.ts';
import { cureOf } from './cures.ts';
import { type Fault, faultText } from './fault.ts';
import {
  type Check,
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

/** The fault of a check, in words and with its cure. */
function told(check: Check, engine: string | null = null): { text: string; cure: string } {
  if (!('fault' in check)) throw new Error(`no fault: ${check.detail}`);
  const { fault } = check;
  return { text: faultText(fault), cure: cureOf(fault, engine === null ? null : engineNamed(engine)) };
}

describe('judgeHealth', () => {
  const down = (failure: EngineFailure) => told(judgeHealth({ state: 'down', failure }));
  const unreachable = (code: string | null): EngineFailure => ({
    kind: 'unreachable',
    code,
    detail: 'whatever',
  });

  it.each<[EngineFailure, RegExp]>([
    [unreachable('ECONNREFUSED'), /start the engine/],
    [unreachable('ENOTFOUND'), /host name/],
    [unreachable(null), /firewall/],
    [unreachable('DEPTH_ZERO_SELF_SIGNED_CERT'), /certificate/],
    [unreachable('ERR_TLS_CERT_ALTNAME_INVALID'), /certificate/],
    [{ kind: 'timeout', detail: 'no answer in time' }, /engine hangs/],
    [{ kind: 'unauthorized', status: 401 }, /api_key/],
    [{ kind: 'status', asked: 'GET /v1/models', status: 500 }, /log of the engine/],
  ])('has a cure for %j', (failure, cure) => {
    expect(down(failure).cure).toMatch(cure);
  });

  it('finds the cure by the kind of failure and not by its words', () => {
    const misleading: EngineFailure = {
      kind: 'other',
      detail: 'ECONNREFUSED, 404, a certificate, in time, HTML',
    };
    expect(down(misleading).cure).toMatch(/log of the engine/);
  });

  it('tells loading from down', () => {
    expect(told(judgeHealth({ state: 'warming', detail: 'loading model' }))).toEqual({
      text: 'not ready yet: loading model',
      cure: expect.stringMatching(/wait/),
    });
  });
});

describe('cures', () => {
  it('has words and a cure for whatever an engine’s file gives one for, and prefers the file’s', () => {
    for (const { name, cures = {} } of ENGINES) {
      for (const [kind, cure] of Object.entries(cures)) {
        const status = /^status (\d+)$/.exec(kind)?.[1];
        const fault = (
          status === undefined
            ? { kind, status: 401, detail: '', model: null, wanted: 'a', served: ['completely', 'different'] }
            : { kind: 'status', status: Number(status) }
        ) as Fault;
        expect(cureOf(fault, engineNamed(name))).toBe(cure);
        expect(cureOf(fault, null)).not.toBe(cure);
      }
    }
  });

  it('says how the metrics of each engine are switched on', () => {
    const none = judgeMetrics(null, null);
    expect(told(none, 'llama.cpp').cure).toBe('start llama-server with --metrics');
    expect(told(none).cure).toMatch(/metrics_url/);
  });
});

describe('judgeEngine', () => {
  it('names engine, version, dialect and quirks', () => {
    const triton = { engine: 'Triton', version: '2.51.0', dialect: 'ensemble', models: [], metrics: null };
    expect(judgeEngine(triton)).toMatchObject({ finding: 'ok', detail: 'Triton, 2.51.0, dialect ensemble' });
    const vllm = { engine: 'vLLM', version: null, dialect: null, quirks: 'vllm', models: [], metrics: null };
    expect(judgeEngine(vllm)).toMatchObject({ detail: 'vLLM, quirks vllm' });
  });

  it('has a cure for two engines on one port, and for another service', () => {
    const two = told(judgeEngine({ kind: 'several', engines: ['vLLM', 'llama.cpp'] }));
    expect(two.text).toBe('answers of vLLM and llama.cpp come from this one address');
    expect(two.cure).toMatch(/port of its own/);
    const page = told(judgeEngine({ kind: 'foreign', html: true, statuses: [200], server: 'nginx' }));
    expect(page.text).toMatch(/HTML pages \(nginx\)/);
    expect(page.cure).toMatch(/point url at the engine/);
  });
});

describe('judgeModel', () => {
  it('suggests the nearest name, or the only one', () => {
    expect(told(judgeModel('lama3', ['llama3', 'qwen'], false)).cure).toMatch(/llama3\?/);
    expect(told(judgeModel('x', ['completely/different'], false)).cure).toMatch(/completely\/different/);
    const far = judgeModel('x', ['completely', 'different'], false);
    expect(told(far, 'Ollama').cure).toMatch(/ollama pull/);
  });

  it('believes an answer before a list', () => {
    expect(judgeModel('alias', ['m'], true).finding).toBe('ok');
    expect(judgeModel('m', [], false).finding).toBe('unseen');
  });
});

describe('judgeWhole', () => {
  it('takes text, and thinking for text; usage only as reported', () => {
    const usage = { inputTokens: 2, outputTokens: 3 };
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
    const [check] = judgeWhole(said) as [Check];
    expect(check.finding).toBe('failed');
    expect(told(check).text).toMatch(detail);
    expect(told(check).cure).not.toBe('');
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
    const check = judgeStream(heard(body));
    expect(check.finding).toBe('failed');
    expect(told(check).text).toMatch(detail);
    expect(told(check).cure).not.toBe('');
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
    expect(judgeMetrics(null, null).finding).toBe('unseen');
    const renamed = judgeMetrics({ kind: 'unknown-metrics', engine: 'vLLM', names: ['vllm:a'] }, null);
    expect(renamed.finding).toBe('failed');
    expect(told(renamed).text).toMatch(/none of vLLM \(vllm:a\)/);
    expect(told(renamed).cure).toMatch(/metrics_url/);
    const load = { running: 1, waiting: null, kvCacheUse: 0.5 };
    expect(judgeMetrics(load, 'http://h/metrics')).toMatchObject({
      finding: 'ok',
      detail: 'running 1, waiting ?, KV cache 50 %, at http://h/metrics',
    });
  });
});
