import { describe, expect, it } from 'vitest';
import type { Routed, Router } from './router.ts';
import { addShadows, Shadow } from './shadow.ts';

const routed = (home: string, more: object = {}): Routed =>
  ({
    turns: [],
    among: 'auto',
    decision: { home, livedAt: null, reason: 'nearest-cluster' },
    ...more,
  }) as never;

function shadowThat(says: () => string | Promise<string>) {
  const clock = { ms: 0 };
  const soon: (() => void)[] = [];
  const router = { model: { id: 'next' }, home: says } as unknown as Router;
  const shadow = new Shadow(
    router,
    () => clock.ms,
    (then) => soon.push(then),
  );
  const looked = (): number => shadow.counts.pairs.reduce((sum, [, , count]) => sum + count, 0);
  const run = async (): Promise<void> => {
    while (soon.length > 0) soon.shift()!();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { shadow, clock, soon, looked, run };
}

describe('a shadow model', () => {
  it('looks after the request has gone on, one decision in a turn, and counts both experts', async () => {
    const { shadow, soon, run } = shadowThat(() => 'maths');
    const first = shadow.see(routed('code'));
    shadow.see(routed('code'));
    shadow.see(routed('maths'));
    expect([first.home, soon.length]).toEqual([null, 1]);
    await run();
    expect(first.home).toBe('maths');
    expect(shadow.counts).toEqual({
      model: 'next',
      pairs: [
        ['code', 'maths', 2],
        ['maths', 'maths', 1],
      ],
    });
  });

  it('looks at a bounded sample, however many come', async () => {
    const { shadow, clock, looked, run } = shadowThat(() => 'code');
    for (let i = 0; i < 1_000; i++) shadow.see(routed('code'));
    await run();
    expect(looked()).toBe(20);
    clock.ms = 1_000;
    for (let i = 0; i < 1_000; i++) shadow.see(routed('code'));
    await run();
    expect(looked()).toBe(40);
  });

  it('has nothing to compare where the client or chance chose', async () => {
    const { shadow, looked, run } = shadowThat(() => 'code');
    shadow.see(routed('code', { among: null }));
    shadow.see(routed('code', { decision: { home: 'code', livedAt: null, reason: 'explored' } }));
    await run();
    expect(looked()).toBe(0);
  });

  it('that fails says nothing, and goes on', async () => {
    let fails = true;
    const { shadow, run } = shadowThat(() => {
      if (fails) throw new Error('no');
      return Promise.reject(new Error('nor'));
    });
    shadow.see(routed('code'));
    await run();
    fails = false;
    shadow.see(routed('code'));
    await run();
    expect(shadow.counts.pairs).toEqual([]);
  });
});

it('the counts of several processes are added; those of an earlier model are left out', () => {
  expect(
    addShadows([
      { model: 'old', pairs: [['a', 'b', 9]] },
      { model: 'new', pairs: [['a', 'b', 1]] },
      null,
      {
        model: 'new',
        pairs: [
          ['a', 'b', 2],
          ['b', 'b', 3],
        ],
      },
    ]),
  ).toEqual({
    model: 'new',
    pairs: [
      ['a', 'b', 3],
      ['b', 'b', 3],
    ],
  });
  expect(addShadows([null, null])).toBeNull();
});
