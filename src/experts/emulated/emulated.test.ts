/** The emulated kind against the contract, and that it says what it is. */
import { expect, it } from 'vitest';
import { listen, requestOf, textOf } from '../expert.contract.tools.ts';
import { describeExpert } from '../expert.contract.ts';
import type { ExpertDeps } from '../kind.ts';
import { emulatedKind } from './index.ts';
import { emulate } from './text.ts';

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
