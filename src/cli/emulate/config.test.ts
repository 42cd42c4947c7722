import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { subjectsOf } from './config.ts';

const PRESET = readFileSync('presets/embedded.yaml', 'utf8');

it.each([1, 3, 8, 20])(
  'has a fallback among %d experts, so that the others get their own subjects alone',
  (count) => {
    const subjects = subjectsOf(PRESET, count);
    expect(subjects.slice(0, count).filter(({ fallback }) => fallback)).toHaveLength(1);
    expect(subjects.length).toBe(Math.min(count, 8));
  },
);
