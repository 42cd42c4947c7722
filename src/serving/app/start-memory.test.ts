import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/gateway.ts';
import { ColdStarts } from '../fleet/cold-start.ts';
import { startMemory } from './start-memory.ts';

let dir: string;
let now = 0;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starts-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const starts = () =>
  new ColdStarts(
    () => now,
    startMemory(dir, () => {}),
  );
function see(all: ColdStarts, expert: string, ms: number): void {
  all.of(expert).wanted(300_000);
  now += ms;
  all.of(expert).came();
}

describe('how long starts take', () => {
  it('is known to the next gateway', async () => {
    const first = starts();
    see(first, 'code', 20_000);
    see(first, 'maths', 90_000);
    await eventually(
      'it is written',
      () =>
        existsSync(join(dir, 'starts.json')) &&
        readFileSync(join(dir, 'starts.json'), 'utf8').includes('maths'),
    );
    const second = starts();
    expect(second.of('code').expectedMs).toBe(20_000);
    expect(second.of('maths').expectedMs).toBe(90_000);
    expect(second.of('law').expectedMs).toBe(60_000);
  });

  it.each(['', '{', '[1]', '{"code":"soon","maths":-1}', 'null'])(
    'is learned anew where its file is %j',
    (text) => {
      writeFileSync(join(dir, 'starts.json'), text);
      expect(starts().of('code').expectedMs).toBe(60_000);
      expect(starts().of('maths').expectedMs).toBe(60_000);
    },
  );

  it('is said once to be lost where the file cannot be written', async () => {
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'no folder');
    // A list of its own: what an earlier test has begun to write may fail only now.
    const logged: string[] = [];
    const all = new ColdStarts(
      () => now,
      startMemory(dir, (line) => logged.push(line)),
    );
    see(all, 'code', 20_000);
    see(all, 'code', 20_000);
    await eventually('it is said', () => logged.length > 0);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/How long experts take to start is not kept: /);
  });
});
