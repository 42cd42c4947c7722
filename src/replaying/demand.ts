/** What recorded prompts ask of each expert, whoever answered them. Pure. */
import { standingOf } from '../deciding/routing/decide.ts';
import { idleLoad } from '../deciding/routing/policy.ts';
import type { Territory } from '../deciding/routing/territory.ts';
import type { DecisionLine } from '../serving/records/record.ts';
import type { Lengths } from '../simulating/workload/lengths.ts';
import type { RecordedLoad } from './recorded.ts';

export interface ExpertDemand {
  readonly expert: string;
  /** Prompts that suit it best. */
  readonly requests: number;
  /** Of these, answered by another. */
  readonly elsewhere: number;
  /** Requests a second of each window, in their order; at least one. */
  readonly windows: readonly number[];
  /** In tokens, one a request. */
  readonly lengths: readonly Lengths[];
}

/** @param windowSeconds what is shorter than that is one window of its own length */
export function demandOf(
  { times, replay, prompts }: RecordedLoad,
  lines: readonly DecisionLine[],
  territory: Territory,
  windowSeconds: number,
): readonly ExpertDemand[] {
  const seconds = Math.max(1, times.at(-1)!);
  const width = Math.min(windowSeconds, seconds);
  const count = Math.max(1, Math.ceil(seconds / width));
  const loads = territory.experts.map(() => idleLoad);
  const all = territory.experts.map((expert) => ({
    expert,
    requests: 0,
    elsewhere: 0,
    windows: new Array<number>(count).fill(0),
    lengths: [] as Lengths[],
  }));
  times.forEach((time, at) => {
    const one = all[standingOf(territory, prompts.turns[at]!, loads).home.expert]!;
    const { expert } = lines[at]!;
    one.requests += 1;
    if (expert !== null && expert !== one.expert) one.elsewhere += 1;
    const window = Math.min(count - 1, Math.floor(time / width));
    one.windows[window] = one.windows[window]! + 1;
    one.lengths.push(replay[at]!);
  });
  return all.map((one) => ({ ...one, windows: one.windows.map((requests) => requests / width) }));
}

export const peakOf = ({ windows }: ExpertDemand): number => Math.max(...windows);

/** Whether in most windows nobody asked: it may run while it is needed alone. */
export const isMostlyQuiet = ({ windows }: ExpertDemand): boolean =>
  windows.filter((rate) => rate === 0).length * 2 > windows.length;

export function meanLengthsOf({ lengths }: ExpertDemand): Lengths {
  const mean = (of: (one: Lengths) => number): number =>
    Math.max(1, Math.round(lengths.reduce((sum, one) => sum + of(one), 0) / Math.max(1, lengths.length)));
  return {
    promptTokens: mean(({ promptTokens }) => promptTokens),
    outputTokens: mean(({ outputTokens }) => outputTokens),
  };
}
