/** Examines one expert in order: what fails early spares the rest. It asks; what the answers mean is judged elsewhere. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ChatBody } from '../../core/openai.ts';
import type { Engine, EngineDescription, ReportedLoad } from '../engines/engine.ts';
import { HABITS } from '../engines/habits.ts';
import type { Expert, Health } from '../experts/expert.ts';
import {
  type Cancelled,
  type Check,
  judgeCancel,
  judgeEngine,
  judgeHealth,
  judgeMetrics,
  judgeModel,
  judgeStream,
  judgeWhole,
} from './judge.ts';
import { askExpert } from './question.ts';

export interface ExamineOptions {
  /** The model the config names; null where it names none. */
  readonly model: string | null;
  /** Whether requests for text may be sent. */
  readonly ask: boolean;
  /** Milliseconds an answer may take. */
  readonly within: number;
  readonly now: () => number;
}

/** For everything but answers. */
const WITHIN_MS = 5_000;
/** Until a request shows in an engine's reports, or no longer does. */
const SEEN_WITHIN_MS = 3_000;
const LOOK_EVERY_MS = 50;

const ASKED = { messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 16, temperature: 0 };
const ASKED_LONG = {
  messages: [{ role: 'user', content: 'Count from one to a thousand, in words.' }],
  max_tokens: 400,
  temperature: 0,
  stream: true,
};

export async function examine(expert: Expert, options: ExamineOptions): Promise<readonly Check[]> {
  const health = judgeHealth(await healthOf(expert));
  const described = await tried(() => expert.describe?.(limit()));
  const engine = described === null ? [] : [judgeEngine(described)];
  // Where nobody listens, the second witness adds nothing; where somebody else does, it may say who.
  if (health.finding === 'failed')
    return described instanceof Error && described.message.includes(health.detail)
      ? [health]
      : [health, ...engine];
  const metrics = await metricsCheck(expert, described instanceof Error ? null : described);
  if (!options.ask) {
    const unasked: Check = { name: 'answer', finding: 'skipped', detail: 'not asked for text' };
    return [health, ...engine, unasked, ...metrics];
  }
  const whole = judgeWhole(await ask(expert, ASKED, options));
  const answered = whole[0]!.finding === 'ok';
  const served = described === null || described instanceof Error ? null : described.models;
  const model = served === null ? [] : [judgeModel(options.model, served, answered)];
  const rest = answered ? await streams(expert, options) : [];
  return [health, ...engine, ...model, ...whole, ...rest, ...metrics];
}

async function streams(expert: Expert, options: ExamineOptions): Promise<readonly Check[]> {
  const stream = judgeStream(await ask(expert, { ...ASKED, stream: true }, options));
  return stream.finding === 'ok' ? [stream, judgeCancel(await cancelled(expert, options))] : [stream];
}

function ask(expert: Expert, body: ChatBody, { within, now }: ExamineOptions) {
  return askExpert(expert, body, within, now).done;
}

async function healthOf(expert: Expert): Promise<Health> {
  const health = await tried(() => expert.health(limit()));
  if (health === null || health instanceof Error)
    return { state: 'down', detail: health?.message ?? 'it says nothing of its health' };
  return health;
}

async function metricsCheck(expert: Expert, described: EngineDescription | null): Promise<readonly Check[]> {
  if (!expert.reportedLoad) return [];
  const load = await tried(() => expert.reportedLoad?.(limit()));
  const habit = described && (HABITS[described.engine as Engine] as (typeof HABITS)[Engine] | undefined);
  return [judgeMetrics(load, described?.metrics ?? null, habit?.cure)];
}

/** Begins a long answer, leaves in the middle, and looks at what the engine says it runs. */
async function cancelled(expert: Expert, { within, now }: ExamineOptions): Promise<Cancelled> {
  const before = await presentIn(expert);
  const asking = askExpert(expert, ASKED_LONG, within, now);
  await asking.begun;
  let during = before;
  if (before !== null) during = await settled(expert, now, (present) => present > before || asking.over());
  const early = asking.over() ? endOf(await asking.done) : null;
  asking.leave();
  const left = now();
  if (before === null || during === null) return { early, counts: null, afterMs: 0 };
  const after =
    early === null && during > before ? await settled(expert, now, (present) => present <= before) : during;
  return { early, counts: after === null ? null : { before, during, after }, afterMs: now() - left };
}

/** The engine's requests once they are as wished, or as they are when the time is over. */
async function settled(
  expert: Expert,
  now: () => number,
  wished: (present: number) => boolean,
): Promise<number | null> {
  const until = now() + SEEN_WITHIN_MS;
  for (;;) {
    const present = await presentIn(expert);
    if (present === null || wished(present) || now() > until) return present;
    await pause(LOOK_EVERY_MS);
  }
}

/** Running and waiting; null where the engine does not tell. */
async function presentIn(expert: Expert): Promise<number | null> {
  const load: ReportedLoad | null | Error = await tried(() => expert.reportedLoad?.(limit()));
  if (load === null || load instanceof Error || load.running === null) return null;
  return load.running + (load.waiting ?? 0);
}

function endOf({ failure, outcome }: Awaited<ReturnType<typeof ask>>): string {
  return failure?.message ?? `finished: ${outcome?.finishReason ?? 'unknown'}`;
}

function limit(): AbortSignal {
  return AbortSignal.timeout(WITHIN_MS);
}

/** What it resolves to, the error it rejects with, or null where there is nothing to call. */
async function tried<T>(call: () => Promise<T> | undefined): Promise<T | Error | null> {
  try {
    return (await call()) ?? null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
