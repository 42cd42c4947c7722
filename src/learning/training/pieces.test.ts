import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { unpackTexts } from '../../core/tasks.ts';
import { Fingerprints } from './fingerprints.ts';
import { isotonicCurve, logisticFit } from './isotonic.ts';
import { PromptStore } from './prompt-store.ts';

describe('the prompt store', () => {
  it('gives back what went in, from memory or from a file, and leaves nothing behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'store-'));
    for (const inMemory of [1 << 30, 2_000]) {
      const store = new PromptStore(folder, inMemory);
      const prompts = Array.from({ length: 3_000 }, (_, index) => `prompt ${index} \ud800 é 東`);
      for (const prompt of prompts) store.append(prompt);
      store.flush();
      expect((await readdir(folder)).length).toBe(inMemory === 2_000 ? 1 : 0);
      const read: string[] = [];
      for (let batch = 0; batch < store.batches; batch += 1)
        read.push(...unpackTexts(await store.read(batch)));
      expect(read).toEqual(prompts);
      store.discard();
      expect(await readdir(folder)).toEqual([]);
    }
    await rm(folder, { recursive: true });
  });

  it('says what to do when the disk is full or the folder is gone', () => {
    const store = new PromptStore('/nonexistent-folder', 10);
    expect(() => {
      for (let index = 0; index < 2_000; index += 1) store.append('a prompt');
    }).toThrow(UserError);
  });
});

describe('fingerprints', () => {
  it('tell a text seen before from a new one, as a set does', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 4 }), { maxLength: 300 }), (texts) => {
        const seen = new Fingerprints();
        const set = new Set<string>();
        for (const text of texts) {
          expect(seen.isNew(text)).toBe(!set.has(text));
          set.add(text);
        }
      }),
    );
  });

  it('do not take different prompts for one', () => {
    const seen = new Fingerprints();
    let repeated = 0;
    for (let index = 0; index < 200_000; index += 1) if (!seen.isNew(`prompt number ${index}`)) repeated += 1;
    expect(repeated).toBe(0);
  });
});

describe('calibration curves', () => {
  it('rise, and meet the values they were fitted to', () => {
    const scores = Array.from({ length: 4_000 }, (_, index) => index / 4_000);
    const values = scores.map((score, index) => Math.min(1, Math.max(0, score + (index % 2 ? 0.1 : -0.1))));
    const { scores: at, confidences } = isotonicCurve(scores, values);
    for (let index = 1; index < at.length; index += 1) {
      expect(at[index]!).toBeGreaterThan(at[index - 1]!);
      expect(confidences[index]!).toBeGreaterThan(confidences[index - 1]!);
    }
    at.forEach((score, index) => {
      expect(confidences[index]!).toBeCloseTo(score, 1);
    });
  });

  it('do not run away where nearly everything agrees', () => {
    const x = Array.from({ length: 500 }, (_, index) => -6 + index / 100);
    const y = x.map((_, index) => 3 + (index % 7) / 3);
    const p = x.map((value) => 1 / (1 + Math.exp(-(4 * value + 20))));
    const [a, b] = logisticFit(x, y, p);
    expect(a).toBeCloseTo(4, 1);
    expect(b).toBeCloseTo(0, 1);
  });

  it('find the logistic weights that made the data', () => {
    const x: number[] = [];
    const y: number[] = [];
    const p: number[] = [];
    for (let i = -5; i <= 5; i += 1) {
      for (let j = -5; j <= 5; j += 1) {
        x.push(i / 2);
        y.push(j / 2);
        p.push(1 / (1 + Math.exp(-(1.5 * (i / 2) - 0.5 * (j / 2) + 0.3))));
      }
    }
    const [a, b, c] = logisticFit(x, y, p);
    expect(a).toBeCloseTo(1.5, 2);
    expect(b).toBeCloseTo(-0.5, 2);
    expect(c).toBeCloseTo(0.3, 2);
  });
});
