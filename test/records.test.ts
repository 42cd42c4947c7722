/** Decisions and feedback are kept, without a word of the prompts, and something can be learned from them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../src/core/random.ts';
import { onThisThread } from '../src/core/tasks.ts';
import { spaceId } from '../src/deciding/model/artefact.ts';
import { DEFAULT_MODEL, loadModelFile } from '../src/deciding/model/file.ts';
import { readRecords } from '../src/learning/outcomes/records.ts';
import { learnFromVectors } from '../src/learning/quality/learn-model.ts';
import { createRouter } from '../src/router.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { Segments } from '../src/serving/records/segments.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';

const folders: string[] = [];
const running: RunningGateway[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  folders.push(folder);
  return folder;
}

const textOf = (dir: string): string =>
  readdirSync(dir)
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('');

async function recording(dir: string): Promise<RunningGateway> {
  const router = await gateway(
    `records: { dir: ${dir} }\nexperts: [{ id: code, kind: emulated, clusters: [] }, { id: cook, kind: emulated }]`,
  );
  running.push(router);
  return router;
}

async function ask(router: RunningGateway, prompt: string, model: string): Promise<string> {
  const response = await router.post('/v1/chat/completions', {
    model,
    max_tokens: 2,
    messages: [{ role: 'user', content: prompt }],
  });
  await response.text();
  return response.headers.get('x-expert-router-trace-id')!;
}

describe('records', () => {
  it('hold features, choice and end of a decision, and feedback, but no prompt', async () => {
    const dir = newFolder();
    const router = await recording(dir);
    const trace = await ask(router, 'How do I cook xylophone risotto?', 'cook');
    const answer = await router.post('/v1/feedback', { trace_id: trace, score: true, comment: 'good' });
    expect(answer.status).toBe(202);
    await router.close();
    const lines = textOf(dir)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.find(({ kind }) => kind === 'decision')).toMatchObject({
      trace,
      chosen: 'cook',
      reason: 'named',
      expert: 'cook',
      status: 200,
      error: null,
      vector: expect.stringMatching(/^[A-Za-z0-9+/]{100,}=*$/),
    });
    expect(lines.find(({ kind }) => kind === 'feedback')).toMatchObject({ trace, score: 1, comment: 'good' });
    expect(textOf(dir)).not.toMatch(/risotto|xylophone/i);
  });

  it('tell which experts took no requests then', async () => {
    const dir = newFolder();
    const router = await gateway(
      `keys: [{ name: ops, hash: '${hashKey('mine')}', roles: [ask, operate] }]
records: { dir: ${dir} }
experts: [{ id: code, kind: emulated }, { id: cook, kind: emulated }]`,
    );
    running.push(router);
    const post = async (path: string, body: object): Promise<void> => {
      const headers = { authorization: 'Bearer mine' };
      await (
        await fetch(router.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      ).arrayBuffer();
    };
    const question = { max_tokens: 1, messages: [{ role: 'user', content: 'How do I cook rice?' }] };
    await post('/v1/chat/completions', question);
    await post('/v1/experts/cook/drain', {});
    await post('/v1/chat/completions', question);
    await router.close();
    const lines = textOf(dir)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ out }) => out)).toEqual([undefined, ['cook']]);
  });

  it('refuse feedback that says nothing, and say so where none is kept', async () => {
    const router = await recording(newFolder());
    const trace = 'a'.repeat(32);
    for (const [body, what] of [
      ['{', 'not valid JSON'],
      [{ score: 1 }, 'trace_id'],
      [{ trace_id: trace, score: 5 }, 'from 0 to 1'],
      [{ trace_id: trace, score: 1, comment: 'x'.repeat(2_001) }, 'at most 2000 characters'],
    ] as const) {
      const refused = await router.post('/v1/feedback', body);
      expect(refused.status).toBe(400);
      expect(await refused.text()).toContain(what);
    }
    const bare = await gateway('experts: [{ id: one, kind: emulated }]');
    running.push(bare);
    const lost = await bare.post('/v1/feedback', { trace_id: trace, score: 1 });
    expect(lost.status).toBe(404);
    expect(await lost.text()).toContain('records: {dir: …}');
  });

  it('teach which expert is good at what', async () => {
    const dir = newFolder();
    const router = await recording(dir);
    const words = {
      code: ['python loop', 'java class', 'sql query', 'rust error'],
      cook: ['soup', 'bread dough', 'risotto', 'apple cake'],
    };
    for (const [topic, things] of Object.entries(words)) {
      for (let turn = 0; turn < 40; turn += 1) {
        const expert = turn % 2 === 0 ? 'code' : 'cook';
        const trace = await ask(
          router,
          `How do I make a ${things[turn % 4 === 3 ? 3 : turn % 3]} number ${turn}?`,
          expert,
        );
        await router.post('/v1/feedback', { trace_id: trace, score: Number(expert === topic) });
      }
    }
    await router.close();
    const model = await loadModelFile(DEFAULT_MODEL);
    const recorded = await readRecords(dir, { id: spaceId(model), dimensions: model.dimensions });
    expect(recorded.experts).toEqual(['code', 'cook']);
    expect(recorded.points.count).toBe(80);
    const learned = await learnFromVectors(model, recorded, { seed: 1 }, onThisThread);
    expect(learned.quality.evidence.significant).toBe(true);
    const chooser = await createRouter({ model: learned, experts: [{ id: 'code' }, { id: 'cook' }] });
    expect(chooser.decide('How do I write a python loop?').expert).toBe('code');
    expect(chooser.decide('How do I bake bread?').expert).toBe('cook');
    await expect(readRecords(dir, { id: 'other', dimensions: 96 })).rejects.toThrow(
      /80 feedbacks are on decisions by another embedding/,
    );
    await expect(readRecords(newFolder(), { id: 'x', dimensions: 1 })).rejects.toThrow(/no records in/);
  });

  it('never outgrow their bytes, and lose the oldest first', async () => {
    const dir = newFolder();
    const segments = await Segments.open({ dir, maxBytes: 64_000, writers: 1, name: 'test', log: () => {} });
    for (let line = 0; line < 3_000; line += 1) {
      segments.append({ line, filling: 'x'.repeat(80) });
      if (line % 20 === 0) await segments.flush();
    }
    await segments.close();
    const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(64_000 + 4_000);
    expect(bytes).toBeGreaterThan(30_000);
    expect(textOf(dir)).toContain('"line":2999');
    expect(textOf(dir)).not.toContain('"line":0,');
    expect(segments.dropped).toBe(0);
  });

  it('say where they cannot be kept', async () => {
    const dir = newFolder();
    writeFileSync(join(dir, 'file'), '');
    await expect(
      Segments.open({ dir: join(dir, 'file', 'none'), maxBytes: 1e6, writers: 1, name: 'x', log: () => {} }),
    ).rejects.toThrow(/Cannot keep records in .*none: .*ENOTDIR/);
    const logged: string[] = [];
    const segments = await Segments.open({
      dir,
      maxBytes: 1e6,
      writers: 1,
      name: 'x',
      log: (line) => logged.push(line),
    });
    rmSync(dir, { recursive: true });
    segments.append({ a: 1 });
    await segments.flush();
    segments.append({ a: 2 });
    await segments.close();
    expect(logged).toHaveLength(1);
    expect(segments.dropped).toBe(2);
    folders.splice(folders.indexOf(dir), 1);
  });
});

describe('exploration', () => {
  it('takes its share of new conversations, and no later turn', async () => {
    const random = seededRandom(1);
    const router = await gateway(
      'exploration: 0.2\nexperts: [{ id: code, kind: emulated, fallback: true }, { id: cook, kind: emulated, description: Cooking }]',
      { random: () => random.next() },
    );
    running.push(router);
    const reasons = async (messages: readonly object[]): Promise<string[]> => {
      const found: string[] = [];
      for (let turn = 0; turn < 200; turn += 1) {
        const decided = await router.post('/v1/route', { messages });
        found.push(((await decided.json()) as { reason: string }).reason);
      }
      return found;
    };
    const ask = (content: string): object => ({ role: 'user', content });
    const explored = (await reasons([ask('How do I cook risotto?')])).filter(
      (one) => one === 'explored',
    ).length;
    expect(explored).toBeGreaterThan(20);
    expect(explored).toBeLessThan(60);
    const later = [
      ask('How do I cook risotto?'),
      { role: 'assistant', content: 'Slowly.' },
      ask('And polenta?'),
    ];
    expect(await reasons(later)).not.toContain('explored');
  });
});
