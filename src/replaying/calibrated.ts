/**
 * An engine as the records of its expert time it: an affine line for the first token over the prompt, another for each token
 * over the requests that ran beside it. Whatever the engine is, its own times are in them.
 */

import type { DecisionLine } from '../serving/records/record.ts';
import {
  line,
  type MeasuredConstants,
  measuredLines,
  medians,
  type Point,
} from '../simulating/cost/measured.ts';
import { type StepLoad, stepCost } from '../simulating/cost/step.ts';
import type { Deployment } from '../simulating/deployment.ts';

/** Answered streams that a line takes at least. */
const LEAST = 20;
/** Of those that met the fewest others at their start: what they waited for is least of all the load. */
const QUIET_SHARE = 0.3;
/** Prompts are alike within this factor. */
const ALIKE = 1.15;

interface Timed {
  /** Seconds: given to the expert, its first token, its end. */
  readonly start: number;
  readonly first: number;
  readonly end: number;
  /** Tokens of the prompt that were not cached. */
  readonly read: number;
  readonly outputTokens: number;
}

/**
 * @param lines decisions of any experts, by time @param replicas that shared the expert's requests
 * @returns null where too few answers say how long they took and how many tokens they had
 */
export function calibrated(
  lines: readonly DecisionLine[],
  expert: string,
  replicas: number,
): MeasuredConstants | null {
  const own = lines.filter((line) => line.expert === expert && line.error === null);
  const streams = own.flatMap(timedOf);
  if (streams.length < LEAST) return null;
  const running = new Running(own.map(spanOf));
  const step = median(streams.map(paceOf));
  const first = firstTokens(streams, { running, step, replicas });
  return measuredLines(first, paces(streams, { running, perPromptToken: line(first).slope, replicas }));
}

const paceOf = ({ first, end, outputTokens }: Timed): number => (end - first) / (outputTokens - 1);

/**
 * Times to first token of those that met few others. The simulation lets a prompt wait for the end of the step that it
 * comes into: half a step on average is that wait, as far as there was one.
 */
function firstTokens(
  streams: readonly Timed[],
  { running, step, replicas }: { running: Running; step: number; replicas: number },
): readonly Point[] {
  const others = streams.map(({ start, first }) => Math.max(0, running.mean(start, first) - 1) / replicas);
  const most = others.toSorted((a, b) => a - b)[Math.floor(QUIET_SHARE * others.length)]!;
  const quiet = streams.flatMap((one, index) => {
    const met = others[index]!;
    if (met > most) return [];
    const whole = one.first - one.start;
    return [{ read: one.read, seconds: Math.max(whole / 2, whole - (Math.min(1, met) * step) / 2) }];
  });
  return medians(
    quiet,
    ({ read }) => alike(read),
    ({ seconds }) => seconds,
  );
}

/**
 * Times per token by the requests that ran. The simulation reads the prompts of others in between: what that takes is not
 * the step's.
 */
function paces(
  streams: readonly Timed[],
  { running, perPromptToken, replicas }: { running: Running; perPromptToken: number; replicas: number },
): readonly Point[] {
  const read = new ReadBetween(streams);
  const alone = (one: Timed): number => {
    const others = (perPromptToken * read.tokens(one.first, one.end)) / replicas;
    const whole = one.end - one.first;
    return Math.max(whole / 2, whole - others) / (one.outputTokens - 1);
  };
  return medians(
    streams,
    ({ first, end }) => Math.max(1, Math.round(running.mean(first, end) / replicas)),
    alone,
  );
}

/** Tokens of prompts that were read between two moments: those whose first token came after the one, until the other. */
class ReadBetween {
  readonly #times: readonly number[];
  readonly #sums: number[] = [0];

  constructor(streams: readonly Timed[]) {
    const sorted = streams.toSorted((a, b) => a.first - b.first);
    this.#times = sorted.map(({ first }) => first);
    for (const { read } of sorted) this.#sums.push(this.#sums.at(-1)! + read);
  }

  tokens(after: number, until: number): number {
    return this.#sums[countUntil(this.#times, until)]! - this.#sums[countUntil(this.#times, after)]!;
  }
}

/** How many of them, ascending, are at most a value. */
function countUntil(times: readonly number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Nothing where it is not known when a token came. */
function timedOf(line: DecisionLine): readonly Timed[] {
  const { at, asked_ms: asked, first_ms: first, total_ms: total, stream } = line;
  const { prompt_tokens: prompt, cached_tokens: cached, completion_tokens: output } = line;
  if (first === null || stream === false || prompt === null || output === null || output < 2) return [];
  const start = Math.min(asked ?? 0, first);
  // Times are whole milliseconds.
  if (first <= start || total <= first) return [];
  return [
    {
      start: (at + start) / 1000,
      first: (at + first) / 1000,
      end: (at + total) / 1000,
      read: Math.max(1, prompt - (cached ?? 0)),
      outputTokens: output,
    },
  ];
}

function spanOf({ at, asked_ms: asked, total_ms: total }: DecisionLine): readonly [number, number] {
  return [(at + (asked ?? 0)) / 1000, (at + total) / 1000];
}

/** How many requests ran, at any time. */
class Running {
  /** Moments at which it changed, ascending; how many run from then on; and the sum over time until then. */
  readonly #times: number[] = [];
  readonly #counts: number[] = [];
  readonly #sums: number[] = [];

  constructor(spans: readonly (readonly [from: number, to: number])[]) {
    const changes = spans.flatMap(([from, to]) => [[from, 1] as const, [to, -1] as const]);
    let [count, sum] = [0, 0];
    for (const [at, change] of changes.sort((a, b) => a[0] - b[0])) {
      sum += count * (at - (this.#times.at(-1) ?? at));
      count += change;
      this.#times.push(at);
      this.#counts.push(count);
      this.#sums.push(sum);
    }
  }

  /** Over a stretch of time. */
  mean(from: number, to: number): number {
    return to > from ? (this.#until(to) - this.#until(from)) / (to - from) : 0;
  }

  #until(at: number): number {
    const before = countUntil(this.#times, at);
    if (before === 0) return 0;
    return this.#sums[before - 1]! + this.#counts[before - 1]! * (at - this.#times[before - 1]!);
  }
}

function alike(tokens: number): number {
  return Math.round(ALIKE ** Math.round(Math.log(tokens) / Math.log(ALIKE)));
}

/** A batch and a prompt of usual size, by which two deployments are compared. */
const BATCH = 8;
const CONTEXT = 1_000;
const PROMPT = 1_000;

/** The times as they would be on another deployment: changed by the factors between what both are modelled to take. */
export function movedTo(measured: MeasuredConstants, from: Deployment, to: Deployment): MeasuredConstants {
  const [was, is] = [stepCost(from), stepCost(to)];
  const reading = is.seconds(READING) / was.seconds(READING);
  const step = is.seconds(DECODING) / was.seconds(DECODING);
  return {
    ...measured,
    firstToken: measured.firstToken * reading,
    perPromptToken: measured.perPromptToken * reading,
    perStep: measured.perStep * step,
    perSequence: measured.perSequence * step,
  };
}

const DECODING: StepLoad = {
  decodeSequences: BATCH,
  decodeContext: BATCH * CONTEXT,
  prefillTokens: 0,
  prefillSequences: 0,
  prefillPairs: 0,
  logitRows: BATCH,
};
const READING: StepLoad = {
  decodeSequences: 0,
  decodeContext: 0,
  prefillTokens: PROMPT,
  prefillSequences: 1,
  prefillPairs: (PROMPT * PROMPT) / 2,
  logitRows: 1,
};
