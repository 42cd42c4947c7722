/** docs/bounds.md shows the table of bounds as it is in the code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BOUNDS } from '../src/core/bounds.ts';

it('has the table that the code has', () => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'bounds.md'), 'utf8');
  const rows = BOUNDS.map((row) => `| ${row.step} | ${row.cost} | ${row.limit} | ${row.beyond} |`);
  expect(page).toContain(['| step | cost | limit | beyond |', '|---|---|---|---|', ...rows].join('\n'));
});
