/** What requests cost, told alike by log, metrics, records, audit and dashboard; and what has no price is not free. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestFields } from '../src/cli/serve/request-line.ts';
import type { Layout, Row } from '../src/serving/board/wire.ts';
import type { RequestNote } from '../src/serving/front/request-note.ts';
import type { DecisionLine } from '../src/serving/records/record.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';

const dir = mkdtempSync(join(tmpdir(), 'money-'));
const notes: RequestNote[] = [];
let router: RunningGateway;

beforeAll(async () => {
  router = await gateway(
    `records: { dir: ${join(dir, 'records')} }
audit: { dir: ${join(dir, 'audit')} }
experts:
  - { id: dear, kind: emulated, price: { input: 1000, output: 3000 } }
  - { id: unpriced, kind: emulated, fallback: true }
`,
    { onRequest: (note) => notes.push(note) },
  );
  for (const model of ['dear', 'unpriced'])
    await (
      await router.post('/v1/chat/completions', {
        model,
        max_tokens: 5,
        messages: [{ role: 'user', content: 'What does this cost?' }],
      })
    ).text();
  await eventually('both have ended', () => notes.length === 2);
});
afterAll(async () => {
  await router.close();
  rmSync(dir, { recursive: true });
});

const dollars = (): number => (1000 * notes[0]!.promptTokens! + 3000 * notes[0]!.completionTokens!) / 1e6;
const get = async (path: string) => (await fetch(router.url + path)).json();

describe('money', () => {
  it('is tokens at the price of the expert that answered, null without a price', () => {
    expect(notes[0]!.usd).toBeCloseTo(dollars(), 6);
    expect(notes[0]!.usd).toBeGreaterThan(0.001);
    expect(notes[1]).toMatchObject({ expert: 'unpriced', usd: null, completionTokens: expect.any(Number) });
    expect(requestFields(notes[0]!).usd).toBe(notes[0]!.usd);
    expect(requestFields(notes[1]!)).not.toHaveProperty('usd');
  });

  it('is counted by expert and cluster, and what is missing in the sum is counted too', async () => {
    const { cluster } = notes[0]!;
    const cost = `expert_router_cost_dollars_total{expert="dear",cluster="${cluster}"}`;
    expect(await router.metric(cost)).toBeCloseTo(dollars(), 6);
    expect(await router.metric('expert_router_unpriced_requests_total{expert="unpriced"}')).toBe(1);
    expect(await router.metric('expert_router_unpriced_requests_total{expert="dear"}')).toBeUndefined();
  });

  it('stands in records and the audit log', async () => {
    const lines = (folder: string): readonly object[] =>
      readdirSync(join(dir, folder)).flatMap((name) =>
        readFileSync(join(dir, folder, name), 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as object),
      );
    await eventually('records are written', () => lines('records').length === 2);
    const records = lines('records') as readonly DecisionLine[];
    expect(records.map(({ usd, key }) => [usd, key])).toEqual([
      [notes[0]!.usd, null],
      [null, null],
    ]);
    expect(lines('audit').map((line) => (line as { usd: number | null }).usd)).toEqual([notes[0]!.usd, null]);
  });

  it('stands on the dashboard, with the price', async () => {
    const rows = (await get('/ui/api/requests')) as readonly Row[];
    expect(Object.fromEntries(rows.map(({ expert, usd }) => [expert, usd]))).toEqual({
      dear: notes[0]!.usd,
      unpriced: null,
    });
    const { experts } = (await get('/ui/api/layout')) as Layout;
    expect(experts.map(({ price }) => price)).toEqual([
      { input: 1000, output: 3000, per_gpu_hour: null },
      null,
    ]);
  });
});
