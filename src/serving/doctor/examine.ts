/** Examines one expert in order: what fails early spares the rest. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ChatBody } from '../dialects/openai/bodies.ts';
import type { EngineDescription, EngineFacts } from '../engines/engine.ts';
import { type EngineFailure, failureFrom } from '../engines/failure.ts';
import { engineNamed } from '../engines/index.ts';
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

export interface Examination {
  readonly checks: readonly Check[];
  /** What answers there; null where it did not say or is none that is known. */
  readonly engine: EngineFacts | null;
}

export async function examine(expert: Expert, options: ExamineOptions): Promise<Examination> {
  const health = await healthOf(expert);
  const reachable = judgeHealth(health);
  const told = await tried(() => expert.describe?.(limit()));
  const engine = told === null || isFailure(told) ? null : engineNamed(told.engine);
  const identity = told === null ? [] : [judgeEngine(told)];
  if (reachable.finding === 'failed') {
    // The same failure seen twice adds nothing; another one may say who is there.
    const same =
      told !== null && isFailure(told) && health.state === 'down' && told.kind === health.failure.kind;
    return { checks: same ? [reachable] : [reachable, ...identity], engine };
  }
  const description = told === null || isFailure(told) ? null : told;
  const metrics = await metricsCheck(expert, description);
  const unasked = expert.answersText === false ? 'it answers no text' : 'not asked for text';
  const answers =
    options.ask && expert.answersText !== false
      ? await answerChecks(expert, description, options)
      : [{ name: 'answer', finding: 'skipped', detail: unasked } as const];
  return { checks: [reachable, ...identity, ...answers, ...metrics], engine };
}

async function answerChecks(
  expert: Expert,
  description: EngineDescription | null,
  options: ExamineOptions,
): Promise<readonly Check[]> {
  const whole = judgeWhole(await ask(expert, ASKED, options));
  const answered = whole[0]!.finding === 'ok';
  const model = description === null ? [] : [judgeModel(options.model, description.models, answered)];
  return [...model, ...whole, ...(answered ? await streams(expert, options) : [])];
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
  if (health === null)
    return { state: 'down', failure: { kind: 'other', detail: 'it says nothing of its health' } };
  return isFailure(health) ? { state: 'down', failure: health } : health;
}

async function metricsCheck(
  expert: Expert,
  description: EngineDescription | null,
): Promise<readonly Check[]> {
  if (!expert.reportedLoad) return [];
  const load = await tried(() => expert.reportedLoad?.(limit()));
  return [judgeMetrics(load, description?.metrics ?? null)];
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
  const load = await tried(() => expert.reportedLoad?.(limit()));
  if (load === null || isFailure(load) || load.running === null) return null;
  return load.running + (load.waiting ?? 0);
}

function endOf({ failure, outcome }: Awaited<ReturnType<typeof ask>>): string {
  return failure?.message ?? `finished: ${outcome?.finishReason ?? 'unknown'}`;
}

function limit(): AbortSignal {
  return AbortSignal.timeout(WITHIN_MS);
}

/** What it resolves to, why it rejects, or null where there is nothing to call. */
async function tried<T extends object>(
  call: () => Promise<T | null> | undefined,
): Promise<T | EngineFailure | null> {
  try {
    return (await call()) ?? null;
  } catch (error) {
    return failureFrom(error);
  }
}

function isFailure(value: object): value is EngineFailure {
  return 'kind' in value;
}
