/** What all processes tell, as if it were one. */
import { addShadows } from '../gateway/shadow.ts';
import { together } from './moves.ts';
import { addSeconds } from './seconds.ts';
import type { BoardEvent, Told } from './wire.ts';

/** Every process notices the same change by itself, at most a look later than another. */
const SAME_EVENT_MS = 3_000;
/** Drift is noticed by each from its own requests. */
const SAME_DRIFT_MS = 600_000;

export function merged(parts: readonly Told[]): Told {
  const [only] = parts;
  if (only && parts.length === 1) return { ...only, rows: byTime(only.rows) };
  return {
    seconds: addSeconds(parts.map(({ seconds }) => seconds)),
    events: once(parts.flatMap(({ events }) => events)),
    dots: parts.flatMap(({ dots }) => dots),
    rows: byTime(parts.flatMap(({ rows }) => rows)),
    shadow: addShadows(parts.map(({ shadow }) => shadow)),
  };
}

function byTime<T extends { readonly at: number }>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => b.at - a.at);
}

function once(events: readonly BoardEvent[]): readonly BoardEvent[] {
  const told: BoardEvent[] = [];
  for (const event of [...events].sort((a, b) => a.at - b.at)) {
    const last = told.at(-1);
    if (event.moved && last?.moved && last.at === event.at) {
      const moved = together(last.moved, event.moved);
      told[told.length - 1] = { ...last, what: moved.to ?? '', moved };
      continue;
    }
    const same = (one: BoardEvent): boolean =>
      event.kind !== 'moved' &&
      one.kind === event.kind &&
      one.what === event.what &&
      event.at - one.at < (event.kind === 'drift' ? SAME_DRIFT_MS : SAME_EVENT_MS);
    if (!told.some(same)) told.push(event);
  }
  return told;
}
