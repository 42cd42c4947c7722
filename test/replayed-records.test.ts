/** What a gateway recorded is replayed through the simulator, beside what really happened. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateCommand } from '../src/cli/simulate.ts';
import { gateway } from './support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'replayed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const records = join(folder, 'records');
const config = join(folder, 'experts.yaml');
const fleet = join(folder, 'fleet.yaml');
const CONFIG = `records: { dir: ${records} }
experts:
  - { id: cook, kind: emulated, description: "Cooking, recipes, ingredients" }
  - { id: general, kind: emulated, fallback: true }
`;
const PLACEMENT = '{ model: llama-3.1-8b, gpu: l40s, precision: fp8, experts: 2 }';

/** Eight questions for the cook and four for everybody, one of them naming its expert. */
async function record(): Promise<void> {
  const router = await gateway(CONFIG);
  for (let n = 0; n < 12; n++) {
    const response = await router.post('/v1/chat/completions', {
      model: n === 0 ? 'cook' : 'auto',
      stream: n % 2 === 0,
      max_tokens: 8,
      messages: [
        { role: 'user', content: n < 8 ? `A recipe for soup with ${n} carrots` : `Who won match ${n}?` },
      ],
    });
    await response.text();
  }
  await router.close();
}

async function simulated(...args: string[]) {
  const lines: string[] = [];
  const { log, error } = console;
  console.log = (line: unknown) => void lines.push(String(line));
  console.error = () => {};
  try {
    await simulateCommand()
      .exitOverride()
      .parseAsync([fleet, ...args], { from: 'user' });
  } finally {
    Object.assign(console, { log, error });
  }
  return lines.join('\n');
}

const replay = (...args: string[]) => simulated('--records', records, '--config', config, ...args);

beforeAll(async () => {
  writeFileSync(config, CONFIG);
  writeFileSync(fleet, `placements: [${PLACEMENT}]\n`);
  await record();
});

describe('records replayed', () => {
  it('are the same requests, sent where the policy of the simulation sends them', async () => {
    const { recorded, runs, misses, notices } = JSON.parse(await replay('--json', '--policy', 'nearest'));
    expect(recorded).toMatchObject({ requests: 12, errors: 0, at_home: 1, experts: { cook: 8, general: 4 } });
    expect(recorded.ttft_ms.p50).toBeGreaterThan(0);
    const [stage] = runs[0].stages;
    expect(stage.requests).toBe(12);
    expect(stage.experts.map((one: { id: string; requests: number }) => [one.id, one.requests])).toEqual([
      ['cook', 8],
      ['general', 4],
    ]);
    expect(Object.values(misses)[0]).toMatchObject({ at_home: 0, ttft_p50: expect.any(Number) });
    expect(notices.join(' ')).toContain('1 request named an expert');
  });

  it('go elsewhere by another policy', async () => {
    const { runs } = JSON.parse(await replay('--json', '--policy', 'random', '--seed', '3'));
    expect(runs[0].stages[0].at_home).toBeLessThan(1);
    expect(runs[0].stages[0].requests).toBe(12);
  });

  it('stand beside what happened, for people', async () => {
    const text = await replay('--compare', 'policies');
    expect(text).toMatch(/^as recorded/m);
    expect(text).toMatch(/^nearest: tokens\/s [+−]\d+ %, TTFT p50/m);
    expect(text).toContain('Against what really happened');
  });

  it('time the engines that a placement has no other times for', async () => {
    const slow = join(folder, 'slow');
    const router = await gateway(CONFIG.replace(records, slow));
    for (let n = 0; n < 48; n++) {
      const content = n % 2 === 0 ? `A recipe for soup with ${n} carrots` : `Who won match ${n}?`;
      const question = { model: 'auto', stream: true, max_tokens: 8, messages: [{ role: 'user', content }] };
      await (await router.post('/v1/chat/completions', question)).text();
    }
    await router.close();
    // An engine that takes 300 ms longer than any model of one says.
    for (const name of readdirSync(slow)) {
      const later = (line: string): string => {
        const decision = JSON.parse(line);
        for (const field of ['first_ms', 'total_ms']) decision[field] += 300;
        return JSON.stringify(decision);
      };
      const lines = readFileSync(join(slow, name), 'utf8').trimEnd().split('\n');
      writeFileSync(join(slow, name), `${lines.map(later).join('\n')}\n`);
    }
    const missOf = async (placement: string): Promise<number> => {
      writeFileSync(fleet, `placements: [${placement}]\n`);
      const told = JSON.parse(await simulated('--records', slow, '--config', config, '--json'));
      return (Object.values(told.misses)[0] as { ttft_p50: number }).ttft_p50;
    };
    expect(await missOf(PLACEMENT)).toBeLessThan(-0.7);
    expect(Math.abs(await missOf(PLACEMENT.replace(' }', ', calibrated: records }')))).toBeLessThan(0.2);
    await expect(simulated()).rejects.toThrow(/needs "users"/);
    writeFileSync(fleet, `users: 1\nplacements: [${PLACEMENT.replace(' }', ', calibrated: records }')}]\n`);
    await expect(simulated()).rejects.toThrow(/calibrated: records: there are none here/);
    expect(await replay()).toMatch(/engines of cook, general had too few streamed answers/);
    writeFileSync(fleet, `placements: [${PLACEMENT}]\n`);
  });

  it('say what does not fit', async () => {
    writeFileSync(fleet, `placements: [${PLACEMENT.replace('experts: 2', 'experts: 3')}]\n`);
    await expect(replay()).rejects.toThrow(
      /3 experts, but the config of the records has 2 \(cook, general\)/,
    );
    writeFileSync(fleet, `placements: [${PLACEMENT}]\n`);
    await expect(simulated('--records', records)).rejects.toThrow(/--config experts.yaml/);
    await expect(simulated('--records', folder, '--config', config)).rejects.toThrow(/There are no records/);
    const [name] = readdirSync(records);
    writeFileSync(join(records, 'records-torn.jsonl'), '{"kind":"decision","at"\nnull\n');
    expect(JSON.parse(await replay('--json')).notices).toContain('2 lines cannot be read');
    rmSync(join(records, 'records-torn.jsonl'));
    expect(name).toMatch(/^records-/);
  });
});
