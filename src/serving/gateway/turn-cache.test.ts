import { beforeEach, describe, expect, it } from 'vitest';
import type { AnyEmbedding } from '../../deciding/embedding/embedding.ts';
import { classifyAll } from '../../deciding/model/classify.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import { type RoutableText, routableTurns } from '../../deciding/text/routable.ts';
import { loadRouterModel } from '../../router.ts';
import { TurnCache } from './turn-cache.ts';

const model = await loadRouterModel();
let embedded = 0;
beforeEach(() => {
  embedded = 0;
});

/** The same model, which counts the texts that it embeds. */
function counting(asynchronous: boolean): RouterModel {
  const { embedding } = model;
  const embed = (text: RoutableText) => {
    embedded += 1;
    return embedding.embed(text);
  };
  const counted = asynchronous
    ? { ...base(embedding), asynchronous: true, embed: async (text: RoutableText) => embed(text) }
    : { ...base(embedding), embed };
  return { ...model, embedding: counted as AnyEmbedding };
}

function base({ id, dimensions }: AnyEmbedding) {
  return { id, dimensions, sections: () => ({}) };
}

/** What a conversation sends with its n-th turn. */
function turns(count: number, first = 'Write a Python function that sorts a list') {
  const messages = Array.from({ length: count }, (_, at) => [
    { role: 'user', content: at === 0 ? first : `And now number ${at}, please` },
    { role: 'assistant', content: 'Done.' },
  ]).flat();
  return routableTurns('chat', { messages: messages.slice(0, -1) } as never);
}

describe.each([false, true])('TurnCache, asynchronous embedding: %s', (asynchronous) => {
  it('classifies every turn of a conversation once but the first, as it would without', async () => {
    const cache = new TurnCache(counting(asynchronous));
    for (let count = 1; count <= 30; count += 1) {
      const list = turns(count);
      expect(await cache.classify(list)).toEqual(classifyAll(model, list));
    }
    expect(embedded).toBe(31);
  });

  it('tells texts apart that differ in any of what is read', async () => {
    const cache = new TurnCache(counting(asynchronous));
    const lists = [turns(2), turns(2, 'Bake bread'), turns(2, 'x\ud800'), turns(2, 'x\udc00'), turns(2, '')];
    const unread = turns(2).map((turn) => ({ ...turn, unreadParts: 1 }));
    for (const list of [...lists, unread]) await cache.classify(list);
    expect(embedded).toBe(2 * 6);
  });

  it('forgets the turns that were not asked for the longest', async () => {
    const cache = new TurnCache(counting(asynchronous), 4);
    for (const first of ['a', 'b', 'a', 'c', 'a']) await cache.classify(turns(2, first));
    expect(embedded).toBe(6);
    await cache.classify(turns(2, 'b'));
    expect(embedded).toBe(8);
  });

  it('does not read all of a very long text to know it again', async () => {
    const cache = new TurnCache(counting(asynchronous));
    const text = 'x'.repeat(100_000);
    const long = turns(2).map((turn) => ({ ...turn, segments: [{ ...turn.segments[0]!, text }] }));
    for (let i = 0; i < 2; i += 1) expect(await cache.classify(long)).toEqual(classifyAll(model, long));
    expect(embedded).toBe(4);
  });
});
