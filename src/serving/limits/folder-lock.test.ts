import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HeldFolder, holdFolder } from './folder-lock.ts';

let folder: string;
const held: HeldFolder[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'held-'));
});
afterEach(async () => {
  for (const one of held.splice(0)) await one.release();
  rmSync(folder, { recursive: true });
});
const hold = async (dir = folder): Promise<void> => void held.push(await holdFolder(dir, 'its limits'));

/** A socket in the folder that a process has left behind which was killed. */
async function leaveDeadSocket(): Promise<void> {
  const listen = `require('node:net').createServer().listen(${JSON.stringify(join(folder, 'in-use'))}, () => console.log('there'))`;
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(join(folder, 'in-use'))).toBe(true);
}

describe('a folder that one process has for itself', () => {
  it('is refused to a second, by name and with what to do, until the first lets go', async () => {
    await hold();
    await expect(hold()).rejects.toThrow(`Another gateway keeps its limits in ${folder}: give each a folder`);
    await held.pop()!.release();
    await hold();
  });

  it('is free again at once when its process was killed', async () => {
    await leaveDeadSocket();
    await hold();
    await expect(hold()).rejects.toThrow(/Another gateway/);
  });

  it('goes to one of many that begin together over a dead one', async () => {
    await leaveDeadSocket();
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => holdFolder(folder, 'its limits')));
    const won = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(won).toHaveLength(1);
    held.push(...won);
  });

  it('may have a name that is too long for a socket', async () => {
    const long = join(folder, 'x'.repeat(120));
    mkdirSync(long);
    await hold(long);
    await expect(hold(long)).rejects.toThrow(/Another gateway/);
  });

  it('that cannot be written to says why', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(hold(file)).rejects.toThrow(/ENOTDIR|EACCES|EINVAL/);
  });
});
