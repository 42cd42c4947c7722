/** The emulated kind against the contract, and that it says what it is. */
import { describe, expect, it } from 'vitest';
import { listen, requestOf, textOf } from '../expert.contract.tools.ts';
import { describeExpert } from '../expert.contract.ts';
import type { ExpertDeps } from '../kind.ts';
import { emulatedKind } from './index.ts';
import { POLITE, planOf } from './misbehaviour.ts';
import { emulate, emulatedWords } from './text.ts';

function deps(): ExpertDeps {
  let ids = 0;
  return {
    cacheFolder: '/nowhere',
    environment: {},
    newId: (prefix) => `${prefix}-${++ids}`,
    now: () => 1_700_000_000_000,
    log: () => {},
  };
}

describeExpert('emulated, at once', () => emulatedKind.create('e', {}, deps()));
describeExpert('emulated, paced', () => emulatedKind.create('e', { tokens_per_second: 2000 }, deps()));

it('says plainly that it is emulated, and by whom', async () => {
  const expert = await emulatedKind.create('maths', {}, deps());
  const { body } = await listen(expert, requestOf({ messages: [{ role: 'user', content: '2+2' }] })).done;
  expect(textOf(body)).toMatch(/^\[emulated answer by expert maths: /);
  await expert.close();
});

it('counts what it says, and cuts at limit and stop', () => {
  expect(emulate('a b c', 2, [])).toEqual({ pieces: ['a ', 'b '], tokens: 2, finishReason: 'length' });
  expect(emulate('a b c', undefined, ['b c'])).toMatchObject({ pieces: ['a '], finishReason: 'stop' });
});

it('says exactly as many words as asked, the same for the same prompt and seed', () => {
  const said = emulatedWords('e', 'hello', 100, 1);
  expect(said).toHaveLength(100);
  expect(said.join('')).toMatch(/^\[emulated answer by expert e/);
  expect(emulatedWords('e', 'hello', 100, 1)).toEqual(said);
  expect(emulatedWords('e', 'hello', 100, 2)).not.toEqual(said);
  expect(emulatedWords('e', 'hello', 3, 1)).toEqual(said.slice(0, 3));
});

describe('misbehaviours by name', () => {
  it('read alone, with a value, combined, and change nothing else', () => {
    expect(planOf('')).toEqual(POLITE);
    expect(planOf('stall')).toEqual({ ...POLITE, breaks: { after: 5, how: 'stall' } });
    expect(planOf('stall-after=0, no-usage')).toEqual({
      ...POLITE,
      breaks: { after: 0, how: 'stall' },
      usage: false,
    });
    expect(planOf('cut=2')).toEqual(planOf('cut-after=2'));
    expect(planOf('slow-first-token-delay=1.5s').delayMs).toBe(1500);
    expect(planOf('429-retry-after=7').instead).toMatchObject({ status: 429, retryAfterSeconds: 7 });
  });

  it.each([
    ['stal', "Did you mean 'stall'?"],
    ['stall-after', "no misbehaviour 'stall-after'"],
    ['stall-after=soon', 'a whole number of tokens'],
    ['slow-first-token=5', 'a duration'],
    ['hang=3', 'takes no value'],
  ])('refuses %s, saying why', (list, why) => {
    expect(() => planOf(list)).toThrow(why);
  });
});

describe('an expert in process that misbehaves', () => {
  const ask = async (misbehaviour: string, stream = true) => {
    const expert = await emulatedKind.create('e', { misbehaviour }, deps());
    const messages = [{ role: 'user', content: 'hello' }];
    return listen(expert, requestOf({ messages, stream }));
  };

  it.each(['401', '429', '500', '503'])('%s is a status and an error body', async (status) => {
    const heard = await (await ask(status)).done;
    expect(heard.status).toBe(Number(status));
    expect(JSON.parse(heard.body).error.message).toMatch(/^Emulated/);
    expect(heard.headers['retry-after']).toBe(status === '429' ? '2' : undefined);
  });

  it('refuse fails before the head', async () => {
    expect(await (await ask('refuse')).done).toMatchObject({
      body: '',
      failure: { code: 'expert_unreachable' },
    });
  });

  it('cut fails after the tokens named', async () => {
    const { body, failure } = await (await ask('cut-after=2')).done;
    expect(textOf(body)).toBe('[emulated answer ');
    expect(failure?.code).toBe('expert_cut_stream');
  });

  it.each([
    ['hang', 0],
    ['stall-after=1', 3],
  ])('%s stays silent until cancelled', async (misbehaviour, calls) => {
    const running = await ask(misbehaviour);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(running.calls).toHaveLength(calls);
    running.generation.cancel();
  });

  it('no-usage says that usage is unknown', async () => {
    const { body, outcome } = await (await ask('no-usage', false)).done;
    expect(JSON.parse(body).usage).toBeUndefined();
    expect(outcome?.usage).toBe('unknown');
  });

  it('what only shows on a wire is refused in the config', () => {
    const { success, error } = emulatedKind.options.safeParse({ misbehaviour: 'split-utf8' });
    expect(success).toBe(false);
    expect(error?.message).toContain('expert-router emulate');
  });
});
