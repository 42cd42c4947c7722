import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planCommand } from '../src/cli/plan.ts';
import { simulateCommand } from '../src/cli/simulate.ts';
import { printed } from './support/printed.ts';

const folder = mkdtempSync(join(tmpdir(), 'survives-'));

const LOADS = {
  'people who read': { options: ['--users', '1500', '--think', '30s'], file: 'users: 1500\nthink: 30' },
  'users who ask at once': { options: ['--users', '200', '--think', '0'], file: 'users: 200\nthink: 0' },
  'a stream': { options: ['--rate', '25'], file: 'arrivals: { poisson: { rate: 25 } }' },
} as const;

const GRID: readonly (readonly [model: string, gpu: string])[] = [
  ['llama-3.1-8b', 'h100'],
  ['llama-3.1-8b', 'a100'],
  ['llama-3.1-8b', 'l40s'],
  ['llama-3.1-70b', 'h100'],
  ['llama-3.1-70b', 'b200'],
  ['qwen3-30b-a3b', 'h200'],
  ['qwen3-30b-a3b', 'rtx-pro-6000'],
  ['gpt-oss-120b', 'h100'],
  ['gpt-oss-120b', 'b200'],
  ['deepseek-v3', 'h200'],
];

interface Proposed {
  readonly name: string;
  readonly scenario: object;
}

/** What `plan` says in JSON goes into a scenario file as it is: another seed, a longer run, `simulate`'s own defaults. */
describe('everything that plan recommends', () => {
  let recommended = 0;

  it.each(
    GRID.flatMap(([model, gpu]) =>
      (Object.keys(LOADS) as (keyof typeof LOADS)[]).map((load) => [model, gpu, load] as const),
    ),
  )('%s on %s for %s survives simulate', async (model, gpu, load) => {
    const { options, file } = LOADS[load];
    const slo = { ttft: 1500, tpot: 60 };
    const asked = ['--model', model, '--gpu', gpu, '--gpus', '16', ...options];
    const plan = await printed(planCommand(), [
      ...[...asked, '--lengths', 'chat', '--json'],
      ...['--slo', `ttft.p95=${slo.ttft}ms,tpot.p95=${slo.tpot}ms`],
    ]);
    const { proposed } = JSON.parse(plan) as { proposed: readonly Proposed[] };
    if (proposed.length === 0) return;
    recommended += proposed.length;
    const path = join(folder, 'scenario.yaml');
    const placements = proposed.map(({ name, scenario }) => ({ name, ...scenario }));
    writeFileSync(
      path,
      `${file}\nseconds: 180\nwarmup: 90\nseed: 7\nplacements: ${JSON.stringify(placements)}\n`,
    );
    const out = join(folder, 'figures.json');
    await printed(simulateCommand(), [path, '--compare', 'placements', '--out', out]);
    const { runs } = JSON.parse(readFileSync(out, 'utf8'));
    for (const { name, stages } of runs) {
      const [run] = stages;
      expect(run.unfinished, name).toBe(0);
      expect(run.errors, name).toBe(0);
      expect(run.requests, name).toBeGreaterThan(100);
      // The verdict came from a shorter run: one in twenty is what seeds differ by.
      expect(run.ttft_ms.p95, name).toBeLessThan(1.05 * slo.ttft);
      expect(run.tpot_ms.p95, name).toBeLessThan(1.05 * slo.tpot);
    }
  });

  afterAll(() => {
    // A planner that recommends nothing would pass all of the above.
    expect(recommended).toBeGreaterThan(2 * GRID.length);
  });
});
