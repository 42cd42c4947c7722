/** Times the stages of training and draws a progress bar for each. */
import { type Progress, progressBar } from '../core/progress.ts';

export interface StageTime {
  readonly stage: string;
  readonly seconds: number;
}

export interface StageClock {
  /** Starts a stage that shows its own progress. */
  begin(stage: string): void;
  /** Progress of a stage; the first call for a new stage ends the previous one. */
  readonly stage: (stage: string, done: number, total: number) => void;
  end(): void;
  stages(): readonly StageTime[];
  /** Seconds since the clock was created. */
  seconds(): number;
}

export function stageClock(): StageClock {
  const times: { stage: string; seconds: number }[] = [];
  const started = performance.now();
  let since = started;
  let current: { name: string; bar: Progress | undefined } | undefined;
  const close = (): void => {
    if (!current) return;
    times.push({ stage: current.name, seconds: (performance.now() - since) / 1000 });
    current.bar?.finish();
    current = undefined;
  };
  const open = (name: string, bar: Progress | undefined): void => {
    close();
    since = performance.now();
    current = { name, bar };
  };
  return {
    begin: (stage) => open(stage, undefined),
    stage: (stage, done, total) => {
      if (current?.name !== stage) open(stage, progressBar(stage, 'items'));
      current?.bar?.update(done, total);
    },
    end: close,
    stages: () => times,
    seconds: () => (performance.now() - started) / 1000,
  };
}
