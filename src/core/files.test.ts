import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFolder } from './files.ts';

const text = (content: string) => ({ content, executable: false });

describe('writeFolder', () => {
  const inside = () => mkdtempSync(join(tmpdir(), 'files-'));

  it('writes the files, executable where requested, and leaves no temporary folders', async () => {
    const parent = inside();
    await writeFolder(join(parent, 'new'), {
      'a.txt': text('a'),
      'b/c/run.sh': { content: '#!/bin/sh\n', executable: true },
    });
    expect(readdirSync(parent)).toEqual(['new']);
    expect(readFileSync(join(parent, 'new/a.txt'), 'utf8')).toBe('a');
    expect(statSync(join(parent, 'new/b/c/run.sh')).mode & 0o111).not.toBe(0);
    expect(statSync(join(parent, 'new/a.txt')).mode & 0o111).toBe(0);
  });

  it('keeps other top-level entries, and removes its own earlier files', async () => {
    const parent = inside();
    const folder = join(parent, 'f');
    await writeFolder(folder, { 'own/old.txt': text('old') });
    mkdirSync(join(folder, 'precious'));
    writeFileSync(join(folder, 'precious/weights'), 'hours of work');
    await writeFolder(folder, { 'own/new.txt': text('new') });
    expect(readFileSync(join(folder, 'precious/weights'), 'utf8')).toBe('hours of work');
    expect(readdirSync(join(folder, 'own'))).toEqual(['new.txt']);
    expect(readdirSync(parent)).toEqual(['f']);
  });

  it('leaves the old folder as it was when a file cannot be written', async () => {
    const parent = inside();
    const folder = join(parent, 'f');
    await writeFolder(folder, { 'a.txt': text('old') });
    const impossible = { 'a.txt': text('new'), 'a.txt/below': text('a file is not a folder') };
    await expect(writeFolder(folder, impossible)).rejects.toThrow();
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('old');
    expect(readdirSync(parent)).toEqual(['f']);
  });
});
