/** `expert-router records` prints, filters and exports what a gateway recorded. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decisionLine, feedbackLine } from '../src/serving/records/record.ts';

const dir = mkdtempSync(join(tmpdir(), 'records-verb-'));
afterAll(() => rmSync(dir, { recursive: true }));

const records = (...args: string[]): string =>
  execFileSync(process.execPath, ['bin/expert-router.js', 'records', dir, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Five decisions, a second apart: the third was answered elsewhere, the fourth failed; the second has a score. */
beforeAll(() => {
  const lines = Array.from({ length: 5 }, (_, n) =>
    decisionLine(
      {
        traceId: String(n).repeat(32),
        space: 'here',
        vector: Float32Array.of(1, 0),
        cluster: n % 3,
        outside: false,
        prompt: null,
        home: 'code',
        livedAt: null,
        out: [],
        spilledFor: null,
        shadow: null,
        expert: 'code',
        reason: 'home',
      },
      {
        traceId: String(n).repeat(32),
        at: 1_800_000_000_000 + 1000 * n,
        expert: n === 2 ? '=maths' : 'code',
        tries: 1,
        status: 200,
        error: n === 3 ? 'expert_timeout' : null,
        stream: true,
        promptTokens: 7,
        completionTokens: n === 0 ? null : 5,
        cachedTokens: null,
        asked: [],
        usd: n === 0 ? null : 0.000_12,
        key: n === 1 ? 'alice' : null,
        firstMs: 20,
        totalMs: 300,
      },
    ),
  );
  const score = feedbackLine({ traceId: '1'.repeat(32), score: 0.5, comment: null, key: null }, 0);
  const text = [...lines, score].map((line) => JSON.stringify(line)).join('\n');
  writeFileSync(join(dir, 'records-1.jsonl'), `${text}\n{"kind":"deci`);
});

const traces = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).trace[0]);

describe('records', () => {
  it('are a table of the latest', () => {
    const text = records('--limit', '2');
    expect(text).toMatch(/^time +trace +cluster +expert/);
    expect(text).not.toContain('1'.repeat(32));
    expect(text).toContain('The latest 2 of 5 decisions that match.');
  });

  it('are filtered by how they went', () => {
    expect(traces(records('--json'))).toEqual(['0', '1', '2', '3', '4']);
    expect(traces(records('--json', '--failed'))).toEqual(['3']);
    expect(traces(records('--json', '--moved'))).toEqual(['2']);
    expect(traces(records('--json', '--key', 'alice'))).toEqual(['1']);
    expect(traces(records('--json', '--cluster', '1', '--last', '2s'))).toEqual(['4']);
    expect(records('--expert', 'nobody')).toContain('No decision matches.');
  });

  it('are a table that a spreadsheet takes for text', () => {
    const [head, row] = records('--csv', '--moved').trim().split('\n');
    expect(head).toMatch(/^at,trace,cluster/);
    expect(row!.split(',')[6]).toBe("'=maths");
  });

  it('are a Parquet file, with vectors and scores', async () => {
    const file = join(dir, 'all.parquet');
    records('--parquet', file);
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
    expect(rows).toHaveLength(5);
    expect(rows[1]).toMatchObject({
      trace: '1'.repeat(32),
      score: 0.5,
      first_ms: 20,
      usd: 0.000_12,
      key: 'alice',
      vector: 'fwA=',
    });
    expect(rows[0]).toMatchObject({ completion_tokens: null, at: new Date(1_800_000_000_000) });
  });
});
