import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbeddedStore } from './embedded-store.ts';

const HOUR = 3_600_000;
const bounds = { requests: 2, tokens: 100, concurrent: 1, day: null, month: null };
const party = { scopes: [{ name: 'k', bounds }] } as unknown as Parameters<EmbeddedStore['reserve']>[0];

/** A store whose wall clock is set by `set`, and whose other clock goes on alone. */
function clocked(dir: string | null = null) {
  const at = { monotonic: 5_000, epoch: Date.UTC(2026, 5, 15, 12) };
  const store = new EmbeddedStore({
    dir,
    clock: { epoch: () => at.epoch, monotonic: () => at.monotonic },
    log: () => {},
  });
  let ids = 0;
  return {
    store,
    pass: (ms: number) => {
      at.epoch += ms;
      at.monotonic += ms;
    },
    set: (ms: number) => {
      at.epoch += ms;
    },
    ask: async (tokens = 0, settles = true) => {
      const reservation = { id: `r${++ids}`, ttl: 60e6, tokens, money: 0 };
      const verdict = await store.reserve(party, reservation);
      if (verdict.admitted && settles) store.settle(party, reservation);
      return verdict.admitted ? 'admitted' : `${verdict.limit} ${Math.round(verdict.wait / 1e6)} s`;
    },
  };
}

describe('a clock that is set', () => {
  it.each([3 * HOUR, -3 * HOUR, 400 * 24 * HOUR, -2_000, 2_000])(
    'by %i ms frees and locks nobody',
    async (by) => {
      const { ask, set, pass } = clocked();
      expect([await ask(), await ask(60), await ask()]).toEqual(['admitted', 'admitted', 'requests 30 s']);
      set(by);
      expect(await ask()).toBe('requests 30 s');
      pass(31_000);
      expect([await ask(95), await ask()]).toEqual(['tokens 2 s', 'admitted']);
    },
  );

  it('keeps open requests open for as long as they have', async () => {
    const { ask, set, pass } = clocked();
    expect(await ask(0, false)).toBe('admitted');
    set(3 * HOUR);
    expect(await ask()).toBe('concurrent 1 s');
    pass(61_000);
    set(-3 * HOUR);
    expect(await ask()).toBe('admitted');
  });

  it('before the program was started anew locks nobody for long', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'limits-'));
    try {
      const wrong = clocked(dir);
      wrong.set(400 * 24 * HOUR);
      expect([await wrong.ask(), await wrong.ask()]).toEqual(['admitted', 'admitted']);
      await wrong.store.close();
      const right = clocked(dir);
      expect(await right.ask()).toBe('requests 30 s');
      right.pass(31_000);
      expect(await right.ask()).toBe('admitted');
      await right.store.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
