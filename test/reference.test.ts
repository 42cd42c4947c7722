/** The reference pages: generated, up to date, complete, and with examples that are valid. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { parseConfig } from '../src/serving/config/load.ts';
import { EXPERT_KINDS } from '../src/serving/experts/index.ts';
import { watchEngines, watchLoads } from '../src/serving/telemetry/gauges.ts';
import { Telemetry } from '../src/serving/telemetry/metrics.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const CONFIG = read('docs/config.md');

it('are as `node scripts/reference.js` writes them', () => {
  const check = spawnSync(process.execPath, [join(ROOT, 'scripts', 'reference.js'), '--check'], {
    encoding: 'utf8',
  });
  expect([check.status, check.stderr]).toEqual([0, '']);
});

interface Row {
  readonly key: string;
  readonly example: string;
}

/** The rows of a section's table; keys of nested objects aside. */
function rowsOf(section: string): readonly Row[] {
  const text = CONFIG.split('\n## ').find((one) => one.startsWith(section))!;
  return [...text.matchAll(/^\| `([^`]+)` \|.*\| (`[^`]*`|below) \|$/gm)].map(([, key, example]) => ({
    key: key!,
    example: example!.replaceAll('`', '').replaceAll('\\|', '|'),
  }));
}

const ENVIRONMENT = { GPU_KEY: 'a', ADMIN_KEY: 'b', ANTHROPIC_API_KEY: 'c' };
const EXPERT = { id: 'one', kind: 'openai', url: 'http://gpu1:8000' };

describe('docs/config.md', () => {
  it.each(rowsOf('The router').filter(({ key, example }) => !/[[.]/.test(key) && example !== 'below'))(
    'has a valid example of $key',
    ({ key, example }) => {
      const experts = key === 'experts' ? '' : stringify({ experts: [EXPERT] });
      expect(() => parseConfig(`${example}\n${experts}`, 'config.md', {})).not.toThrow();
    },
  );

  it.each(rowsOf('Every expert').filter(({ key }) => !['kind', 'id'].includes(key) && !/[[.]/.test(key)))(
    'has a valid example of $key for every expert',
    ({ example }) => {
      expect(() => parseConfig(withOption('openai', example), 'config.md', {})).not.toThrow();
    },
  );

  const options = EXPERT_KINDS.flatMap(({ kind }) =>
    rowsOf(`Kind \`${kind}\``)
      .filter(({ key, example }) => !/[[.]/.test(key) && example !== 'below')
      .map((row) => ({ kind, ...row })),
  );

  it.each(options)('has a valid example of $key for the kind $kind', ({ kind, example }) => {
    expect(() => parseConfig(withOption(kind, example), 'config.md', ENVIRONMENT)).not.toThrow();
  });

  it.each(EXPERT_KINDS.map(({ kind, options }) => ({ kind, options })))(
    'names every option of $kind',
    ({ kind, options }) => {
      const there = rowsOf(`Kind \`${kind}\``).map(({ key }) => key);
      expect(there).toEqual(expect.arrayContaining(Object.keys((options as z.ZodObject).shape)));
    },
  );
});

function withOption(kind: string, example: string): string {
  const url =
    ['openai', 'triton'].includes(kind) && !example.startsWith('url:') ? '    url: http://gpu1:8000\n' : '';
  const start = /^(stop|idle|start_timeout):/.test(example) ? '    start: [run]\n' : '';
  return `experts:\n  - id: one\n    kind: ${kind}\n${url}${start}    ${example}\n`;
}

describe('docs/metrics.md', () => {
  const page = read('docs/metrics.md');

  it('asks in its queries only for metrics and labels that there are', async () => {
    const telemetry = new Telemetry({ processMetrics: false });
    watchLoads(telemetry.registry, () => new Map());
    watchEngines(telemetry.registry, () => []);
    const there = (await telemetry.registry.getMetricsAsJSON()).map(({ name }) => name);
    const queries = page.slice(page.indexOf('## Questions'));
    const asked = [...queries.matchAll(/expert_router_\w+/g)].map(([name]) =>
      name.replace(/_(bucket|sum|count)$/, ''),
    );
    expect(asked.length).toBeGreaterThan(4);
    expect(there).toEqual(expect.arrayContaining(asked));
  });
});
