/** Training's threads, as compiled: one that dies fails its own task alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Task } from '../src/core/tasks.ts';
import type { Pool } from '../src/learning/training/pool.ts';

const COMPILED = pathToFileURL(join(import.meta.dirname, '../dist/learning/training/pool.js')).href;

let folder: string;
let pool: Pool;
let taskNamed: <O>(exportName: string) => Task<number, O>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pool-'));
  const file = join(folder, 'tasks.mjs');
  writeFileSync(
    file,
    `export const double = (n) => 2 * n;
     export const fail = () => { throw new RangeError('out of range'); };
     export const leave = (code) => process.exit(code);`,
  );
  taskNamed = (exportName) =>
    Object.assign(() => expect.unreachable('it ran on this thread'), {
      file: pathToFileURL(file).href,
      exportName,
    });
  const { openPool } = (await import(COMPILED)) as typeof import('../src/learning/training/pool.ts');
  pool = openPool(2);
});

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

it('runs tasks on other threads and passes on what they throw', async () => {
  expect(await pool.run(taskNamed('double'), 21)).toBe(42);
  await expect(pool.run(taskNamed('fail'), 0)).rejects.toThrow(RangeError);
});

it('says so when a thread dies, and goes on with others', async () => {
  const dead = pool.run(taskNamed('leave'), 3);
  const others = Promise.all([1, 2, 3].map((n) => pool.run<number, number>(taskNamed('double'), n)));
  await expect(dead).rejects.toThrow(/training thread died .*code: 3.*--threads/);
  await expect(dead).rejects.toHaveProperty('name', 'UserError');
  expect(await others).toEqual([2, 4, 6]);
  for (let times = 0; times < 3; times += 1) {
    await expect(pool.run(taskNamed('leave'), 1)).rejects.toThrow(/died/);
    expect(await pool.run(taskNamed('double'), times)).toBe(2 * times);
  }
});
