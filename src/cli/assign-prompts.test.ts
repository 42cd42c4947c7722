import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { promptMoves } from './assign-prompts.ts';

const folder = mkdtempSync(join(tmpdir(), 'assign-prompts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = (name: string, experts: string): string => {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, `experts:\n${experts}  - { id: general, kind: emulated, fallback: true }\n`);
  return file;
};
const BEFORE = config('before', '  - { id: code, kind: emulated, description: Writes programs }\n');
const AFTER = config(
  'after',
  '  - { id: code, kind: emulated, description: Writes programs }\n  - { id: kitchen, kind: emulated, description: Recipes }\n',
);
const PROMPTS = join(folder, 'prompts.jsonl');
writeFileSync(
  PROMPTS,
  ['How do I bake bread?', 'A recipe for soup', 'Fix this Python loop', 'What is the capital of Peru?']
    .map((prompt) => JSON.stringify({ prompt }))
    .join('\n'),
);

describe('prompts that a change moves', () => {
  it('are counted by where they went and where they would go', async () => {
    expect(await promptMoves(BEFORE, AFTER, [PROMPTS])).toEqual({
      prompts: 4,
      moves: [
        {
          from: 'general',
          to: 'kitchen',
          prompts: 2,
          examples: ['How do I bake bread?', 'A recipe for soup'],
        },
      ],
    });
  });

  it('are none where nothing changes', async () => {
    expect(await promptMoves(AFTER, AFTER, [PROMPTS])).toEqual({ prompts: 4, moves: [] });
  });
});
