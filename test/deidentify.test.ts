/** Where the config asks for it, nothing that identifies a person goes on to classification, records or a model. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { command } from './support/command.ts';
import { gateway } from './support/gateway.ts';
import { polite, upstream } from './support/upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'deidentify-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NOTE =
  'Mr Quillfeather (MRN 00482913, phone 020 7946 0958) asks whether his chest pain is an emergency.';

describe('a gateway that de-identifies', () => {
  it('decides without what identifies, and relays the request as it came', async () => {
    const expert = await upstream(polite);
    const dir = join(folder, 'records');
    const router = await gateway(
      `deidentify: true\nrecords: { dir: ${dir} }\nexperts: [{ id: ward, kind: openai, url: '${expert.url}' }]`,
    );
    const body = { model: 'auto', messages: [{ role: 'user', content: NOTE }] };
    const told = await (await router.post('/v1/route', body)).text();
    expect(JSON.parse(told).text).toBe(
      'Mr [name] (MRN [id], phone [phone]) asks whether his chest pain is an emergency.',
    );
    expect(told).not.toMatch(/quillfeather|00482913|7946/i);
    const answer = await router.post('/v1/chat/completions', body);
    await answer.text();
    expect(expert.requests.at(-1)!.body.toString()).toContain(NOTE);
    const feedback = { trace_id: answer.headers.get('x-expert-router-trace-id'), score: 1, comment: NOTE };
    expect((await router.post('/v1/feedback', feedback)).status).toBe(202);
    await router.close();
    const kept = readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8'));
    expect(kept.join('')).toContain('Mr [name]');
    expect(kept.join('') + router.logged.join('')).not.toMatch(/quillfeather|00482913|7946/i);
    await expert.close();
  });

  it('classifies two notes that differ in names alone as the same', async () => {
    const ask = async (config: string, name: string): Promise<unknown> => {
      const router = await gateway(`${config}experts: [{ id: ward, kind: emulated }]`);
      const answer = await router.post('/v1/route', { prompt: `Dr. ${name} asks for an X-ray of the knee.` });
      await router.close();
      return ((await answer.json()) as { distances: unknown }).distances;
    };
    const on = 'deidentify: { keep: [date] }\n';
    expect(await ask(on, 'Python')).toEqual(await ask(on, 'Risotto'));
    expect(await ask('', 'Python')).not.toEqual(await ask('', 'Risotto'));
  });

  it('refuses a kind that there is not', async () => {
    await expect(
      gateway('deidentify: { keep: [dates] }\nexperts: [{ id: ward, kind: emulated }]'),
    ).rejects.toThrow(/deidentify/);
  });
});

describe('train --deidentify', () => {
  const COMPLAINTS = [
    'chest pain at night',
    'a swollen knee',
    'an itching rash',
    'blurred vision',
    'a dry cough',
    'headaches',
    'no appetite',
  ];
  const PLANS = [
    'wants an X-ray',
    'asks for tablets',
    'needs a letter',
    'was sent home',
    'comes back next week',
    'has questions',
    'sleeps badly',
  ];
  const notes = (names: readonly string[]): string => {
    const rows = COMPLAINTS.flatMap((complaint, at) =>
      PLANS.map((plan, to) => ({
        text: `Mr ${names[(at + to) % names.length]} has ${complaint} and ${plan}.`,
        ward: at < 2 ? 'a' : 'b',
      })),
    );
    return rows.map((row) => JSON.stringify(row)).join('\n');
  };

  it.each([[[]], [['--label', 'ward']]])('learns nothing from names %o', async (more) => {
    const models: Buffer[] = [];
    for (const names of [['Quillfeather'], ['Abernathy', 'Lindqvist', 'Okonkwo']]) {
      writeFileSync(join(folder, 'notes.jsonl'), notes(names));
      const out = join(folder, 'notes.safetensors');
      const done = command(
        ...['train', join(folder, 'notes.jsonl'), '--field', 'text', '-k', '3', '--out', out],
        ...['--deidentify', '--keep-examples', '2', ...more],
      );
      expect(await done.ended, done.output()).toBe(0);
      models.push(readFileSync(out));
      const report = readFileSync(join(folder, 'notes.report.json'), 'utf8');
      expect(report).toContain('Mr [name] has');
      for (const name of names) expect(models.at(-1)!.toString('latin1') + report).not.toContain(name);
    }
    expect(models[0]!.equals(models[1]!)).toBe(true);
  });
});
