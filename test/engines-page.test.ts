/** docs/engines.md: its configs are valid, and it names the quirks and options that there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from '../src/serving/config/load.ts';
import { LIMIT_INSTEAD_OF_16 } from '../src/serving/dialects/openai/forward.ts';
import { engineNamed } from '../src/serving/engines/index.ts';
import { anthropicOptions } from '../src/serving/experts/anthropic/options.ts';
import { QUIRKS_NAMES, quirksNamed } from '../src/serving/experts/openai/quirks.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', 'docs', 'engines.md'), 'utf8');
const KEYS = { OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b', AZURE_OPENAI_API_KEY: 'c' };

it('has configs that load, with every kind of server among them', () => {
  const blocks = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!);
  const experts = blocks.flatMap((yaml) => parseConfig(yaml, 'engines.md', KEYS).experts);
  expect(experts.length).toBeGreaterThanOrEqual(9);
  expect(new Set(experts.map((expert) => expert.kind))).toEqual(new Set(['openai', 'anthropic']));
});

it('has a row for every engine that differs, none for one that is unknown, and says what is put in', () => {
  const table = PAGE.split('\n## ')
    .find((section) => section.startsWith('Differences'))!
    .split('|---|---|---|---|\n')[1]!;
  const rows = [...table.matchAll(/^\| [^|]+ \| `([a-z.]+)` \|/gm)].map((match) => match[1]!);
  const differing = QUIRKS_NAMES.filter((name) => Object.keys(quirksNamed(name)).length > 0);
  expect(rows).toEqual(expect.arrayContaining(differing));
  expect(QUIRKS_NAMES).toEqual(expect.arrayContaining(rows));
  expect(PAGE).toContain(`\`max_tokens: ${LIMIT_INSTEAD_OF_16}\``);
});

const COUNTS: readonly string[] = ['openai-input-tokens', 'anthropic-count-tokens'];

it('says of no engine that it speaks another API than its file does', () => {
  const apis = ['openai-chat', 'openai-completions', 'openai-responses', 'anthropic-messages'] as const;
  const table = PAGE.split('## APIs of each engine')[1]!.split('|---|---|---|---|---|---|\n')[1]!;
  const rows = table.split('\n\n')[0]!.split('\n');
  expect(rows.length).toBeGreaterThan(5);
  const expected = rows.map((row) => {
    const { name, speaks, capabilities = [] } = engineNamed(/^\| (.+?) \|/.exec(row)![1]!)!;
    const marks = apis.map((api) => (speaks.includes(api) ? 'yes' : '–'));
    const counts = speaks.some((api) => COUNTS.includes(api)) ? ['token counts'] : [];
    const own = speaks.includes('ollama-chat') ? ['its own chats'] : [];
    const also = [...capabilities, ...counts, ...own].join(', ');
    return `| ${[name, ...marks, also || '–'].join(' | ')} |`;
  });
  expect(rows).toEqual(expected);
});

it('states the defaults of the kind anthropic', () => {
  const { version, max_tokens } = anthropicOptions.parse({});
  expect(PAGE).toContain(`(\`anthropic-version\`, ${version})`);
  expect(PAGE).toContain(`\`max_tokens\` (${max_tokens};`);
});
