/**
 * The day of docs/scale.md takes a replica for slots that are all as fast as in a full batch. Minutes of it, at a rate that
 * does not change, beside the same in the simulator of engines: what the day answers in time the engines do too.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { simulateCommand } from '../src/cli/simulate.ts';
import { seededRandom } from '../src/core/random.ts';
import { ExpertPool } from '../src/simulating/day/expert-pool.ts';
import { arrivalsIn, drawnLengths } from '../src/simulating/day/load.ts';
import { serviceOf } from '../src/simulating/day/service.ts';
import { deployment } from '../src/simulating/deployment.ts';
import { DEFAULT_LIMITS } from '../src/simulating/memory.ts';
import { meanLengths, NAMED_LENGTHS } from '../src/simulating/workload/lengths.ts';
import { printed } from './support/printed.ts';

const MODEL = { model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' };
const REPLICAS = 2;
const WARM_UP = 120;
const SECONDS = 300;
/** Of the day: a first token that comes later is late. */
const IN_TIME_MS = 2_000;

const lengths = NAMED_LENGTHS.chat!;
const mean = meanLengths(lengths, seededRandom(1));
const where = deployment({ ...MODEL, engine: 'vllm' });
const service = serviceOf(where, DEFAULT_LIMITS, mean, 0.05);
const stay = service.ttftSeconds(mean.promptTokens) + mean.outputTokens * service.tpotSeconds;
const folder = mkdtempSync(join(tmpdir(), 'day-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Share of requests in time. */
function inSlots(perSecond: number): number {
  const tickSeconds = 0.25;
  let [all, inTime] = [0, 0];
  let measured = false;
  const answered = (ttft: number | null): void => {
    if (!measured) return;
    all += 1;
    if (ttft !== null && ttft * 1000 <= IN_TIME_MS) inTime += 1;
  };
  const drawn = drawnLengths(lengths, seededRandom(3));
  const parts = {
    service,
    lengths: drawn,
    meanOutput: mean.outputTokens,
    tickSeconds,
    startSeconds: 1,
    answered,
  };
  const pool = new ExpertPool(parts, REPLICAS);
  const random = seededRandom(7);
  for (let at = 0; at < WARM_UP + SECONDS; at += tickSeconds) {
    measured = at >= WARM_UP;
    pool.step(arrivalsIn(perSecond * tickSeconds, random), () => random.below(2 ** 16));
  }
  return inTime / all;
}

/** Milliseconds to the first token within which 99 of 100 are. */
async function inEngines(perSecond: number): Promise<number> {
  const { slots } = service;
  const scenario = {
    arrivals: { poisson: { rate: perSecond } },
    lengths: 'chat',
    seconds: SECONDS,
    warmup: WARM_UP,
    seed: 1,
    placements: [{ name: 'two', ...MODEL, replicas: REPLICAS, slots, max_batch: slots }],
  };
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, JSON.stringify(scenario));
  const told = JSON.parse(await printed(simulateCommand(), [file, '--json'])) as {
    runs: readonly { stages: readonly { ttft_ms: { p99: number } }[] }[];
  };
  return told.runs[0]!.stages[0]!.ttft_ms.p99;
}

it.each([
  [0.5, true, true],
  [0.9, true, true],
  // The engines carry a fifth more than the day allows them, and not a half more.
  [1.15, false, true],
  [1.5, false, false],
])('at %d of what its slots carry, in time by the day: %s, by engines: %s', async (share, day, engines) => {
  const perSecond = (share * REPLICAS * service.slots) / stay;
  expect(inSlots(perSecond) > 0.99).toBe(day);
  expect((await inEngines(perSecond)) <= IN_TIME_MS).toBe(engines);
});
