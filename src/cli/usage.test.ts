import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { usageCommand } from './usage.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'usage-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

const call = (day: string, more: object = {}): string =>
  `${JSON.stringify({
    event: 'call',
    at: `${day}T12:00:00.000Z`,
    key: 'alice',
    team: null,
    expert: 'code',
    cluster: '1',
    status: 200,
    error: null,
    prompt_tokens: 10,
    cached_tokens: 4,
    completion_tokens: 5,
    usd: 0.25,
    ...more,
  })}\n`;
const log = (day: string, ...lines: readonly string[]): void =>
  writeFileSync(join(dir, `audit-${day}.jsonl`), lines.join(''));

async function usage(...flags: readonly string[]): Promise<string> {
  const said: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
  const command = usageCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  await command.parseAsync([dir, ...flags], { from: 'user' });
  return said.join('\n');
}

describe('usage', () => {
  beforeEach(() => {
    log('2027-01-30', call('2027-01-30', { key: 'bob', cluster: '10', expert: 'maths', usd: null }));
    log(
      '2027-01-31',
      call('2027-01-31'),
      call('2027-01-31', { cluster: '9', status: 429, error: 'rate_limit_exceeded', usd: 0 }),
      '{"event":"call","at":"2027-01-31T', // torn by a kill, and gone on after
      '\n',
      'null\n\n',
      `${JSON.stringify({ event: 'config', at: '2027-01-31', added: ['x'], removed: [], changed: [] })}\n`,
    );
    writeFileSync(join(dir, 'notes.txt'), call('2027-01-31'));
  });

  it.each([
    ['key', ['alice', 'bob']],
    ['expert', ['code', 'maths']],
    ['cluster', ['1', '9', '10']],
    ['day', ['2027-01-30', '2027-01-31']],
    ['team', ['-']],
  ])('adds up by %s, the same as a table, as CSV and as JSON', async (by, names) => {
    const json = JSON.parse(await usage('--by', by, '--json')) as Record<string, string | number>[];
    expect(json.map((row) => row[by])).toEqual(names);
    expect(json.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(3);
    const csv = (await usage('--by', by, '--csv')).split('\n').map((line) => line.split(','));
    const table = (await usage('--by', by)).split('\n').map((line) => line.trim().split(/\s+/));
    expect(table).toEqual(csv);
    expect(csv[0]).toEqual(Object.keys(json[0]!));
    for (const [index, row] of json.entries())
      for (const [column, name] of csv[0]!.entries())
        if (column > 0) expect(Number(csv[index + 1]![column])).toBe(row[name]);
  });

  it('counts errors, and what has no price apart', async () => {
    const rows = JSON.parse(await usage('--json')) as unknown[];
    expect(rows).toContainEqual(
      expect.objectContaining({ key: 'alice', requests: 2, errors: 1, usd: 0.25, unpriced: 0 }),
    );
    expect(rows).toContainEqual(expect.objectContaining({ key: 'bob', requests: 1, usd: 0, unpriced: 1 }));
  });

  it('begins with a day', async () => {
    const rows = JSON.parse(await usage('--since', '2027-01-31', '--json')) as { key: string }[];
    expect(rows.map(({ key }) => key)).toEqual(['alice']);
  });

  it.each([
    [['--since', 'yesterday'], /expected a day such as 2027-01-31/],
    [['--since', '2027-1-31'], /expected a day such as/],
    [['--since', '2027-13-01'], /expected a day such as/],
    [['--by', 'colour'], /Allowed choices are key/],
    [['--csv', '--json'], /cannot be used with/],
  ] as const)('refuses %j', async (flags, why) => {
    await expect(usage(...flags)).rejects.toThrow(why);
  });
});

it('says where there is no audit log', async () => {
  writeFileSync(join(dir, 'decisions-2027-01-31.jsonl'), '{}\n');
  await expect(usage()).rejects.toThrow(/There is no audit log in .*: name the folder .* audit\.dir/);
  rmSync(dir, { recursive: true });
  await expect(usage()).rejects.toThrow(/Cannot read the audit log/);
  dir = mkdtempSync(join(tmpdir(), 'usage-'));
});
