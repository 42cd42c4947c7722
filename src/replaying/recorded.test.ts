import { beforeAll, expect, it } from 'vitest';
import { DEFAULT_MODEL, loadModelFile } from '../deciding/model/file.ts';
import type { RouterModel } from '../deciding/model/router-model.ts';
import type { DecisionLine } from '../serving/records/record.ts';
import { replayOf } from './recorded.ts';

let model: RouterModel;
beforeAll(async () => {
  model = await loadModelFile(DEFAULT_MODEL);
});

function line(outside: boolean, more: Partial<DecisionLine> = {}): DecisionLine {
  const packed = Buffer.from(
    Int8Array.from({ length: model.dimensions }, (_, j) => (j === 0 ? 127 : 0)).buffer,
  );
  return {
    kind: 'decision',
    at: 1_000,
    trace: 'a'.repeat(32),
    space: 'here',
    vector: packed.toString('base64'),
    cluster: 0,
    outside,
    chosen: 'rest',
    reason: 'outside',
    expert: 'rest',
    tries: 1,
    status: 200,
    error: null,
    prompt_tokens: 1,
    completion_tokens: 1,
    first_ms: 1,
    total_ms: 2,
    ...more,
  };
}

it('takes a prompt for as unlike all others as it was then', () => {
  const owners = Array.from({ length: model.clusters }, () => 0);
  const territory = { experts: ['code', 'rest'], owners, fallback: 1 };
  const { prompts, really } = replayOf(
    { lines: [line(false), line(true)], notices: [] },
    { model, territory },
  );
  expect(prompts.turns.map(([turn]) => turn!.outside)).toEqual([false, true]);
  expect(really.at_home).toBe(0.5); // only the one that lay outside belonged to the fallback
});

it('lets a conversation belong where it was found to belong, and tells what went elsewhere because its expert was away', () => {
  const owners = Array.from({ length: model.clusters }, () => 0);
  const territory = { experts: ['code', 'rest'], owners, fallback: null };
  const { prompts, notices, really } = replayOf(
    {
      lines: [
        line(false),
        line(false, { home: 'rest', lived_at: 'rest' }),
        line(false, { home: 'code', lived_at: 'gone', spilled_for: 'unavailable', out: ['code'] }),
        line(false, { home: 'gone', out: ['gone'] }),
      ],
      notices: [],
    },
    { model, territory },
  );
  expect(prompts.settled).toEqual([null, { home: 1, before: 1 }, { home: 0, before: null }, null]);
  expect(prompts.unavailable).toEqual([[], [], [0], [-1]]); // −1 is none of them
  expect(really.at_home).toBe(0.25); // all were answered by `rest`
  expect(notices).toEqual([{ kind: 'away', count: 1 }]);
});

it('tells how many requests failed, which nothing does in a replay', () => {
  const owners = Array.from({ length: model.clusters }, () => 0);
  const { notices, really, times } = replayOf(
    { lines: [line(false), line(false, { error: 'expert_cut_stream' })], notices: [] },
    { model, territory: { experts: ['code', 'rest'], owners, fallback: null } },
  );
  expect([times.length, really.errors]).toEqual([2, 1]);
  expect(notices).toEqual([{ kind: 'failed', count: 1 }]);
});
