/** docs/engines.md: its configs are valid, and it names every dialect and option that there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from '../src/serving/config/load.ts';
import { anthropicOptions } from '../src/serving/experts/anthropic/options.ts';
import { DIALECT_NAMES, LIMIT_INSTEAD_OF_16 } from '../src/serving/experts/openai/dialects.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', 'docs', 'engines.md'), 'utf8');
const KEYS = { OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b' };

it('has configs that load, with every kind of server among them', () => {
  const blocks = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!);
  const experts = blocks.flatMap((yaml) => parseConfig(yaml, 'engines.md', KEYS).experts);
  expect(experts.length).toBeGreaterThanOrEqual(DIALECT_NAMES.length);
  expect(new Set(experts.map((expert) => expert.kind))).toEqual(new Set(['openai', 'anthropic']));
});

it('has a row for every dialect, and says what they put in', () => {
  const table = PAGE.split('\n## ')
    .find((section) => section.startsWith('What differs'))!
    .split('|---|---|---|---|\n')[1]!;
  const rows = [...table.matchAll(/^\| [^|]+ \| `([a-z.]+)` \|/gm)].map((match) => match[1]!);
  expect(rows.toSorted()).toEqual([...DIALECT_NAMES].toSorted());
  expect(PAGE).toContain(`\`max_tokens: ${LIMIT_INSTEAD_OF_16}\``);
});

it('states the defaults of the kind anthropic', () => {
  const { version, max_tokens } = anthropicOptions.parse({});
  expect(PAGE).toContain(`(\`anthropic-version\`, ${version})`);
  expect(PAGE).toContain(`\`max_tokens\` (${max_tokens};`);
});
