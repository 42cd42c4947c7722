/** Where a request's time went, as one bar. */
import type { Row } from '../../../src/serving/board/wire.ts';
import { duration } from '../format.ts';
import { words } from '../words/index.ts';

const PHASES = ['decide', 'queue', 'first', 'stream'] as const;
type Phase = (typeof PHASES)[number];

/** Milliseconds of each phase that has begun. */
export function phasesOf(row: Row): Readonly<Record<Phase, number>> {
  const { decidedMs, asked, firstMs, totalMs } = row;
  const decided = decidedMs ?? totalMs;
  const began = asked[0]?.fromMs ?? totalMs;
  const first = firstMs ?? totalMs;
  return {
    decide: decided,
    queue: Math.max(0, began - decided),
    first: Math.max(0, first - began),
    stream: Math.max(0, totalMs - first),
  };
}

/** @param most milliseconds that fill the whole width */
export function Timing({ row, most }: { row: Row; most: number }) {
  const phases = phasesOf(row);
  const text = words().requests.legend;
  const said = PHASES.map((phase) => `${text[phase]}: ${duration(phases[phase])}`).join(', ');
  return (
    <span class="timing" role="img" aria-label={said} title={said}>
      {PHASES.filter((phase) => phases[phase] > 0).map((phase) => (
        <i key={phase} class={phase} style={{ width: `${(100 * phases[phase]) / most}%` }} />
      ))}
    </span>
  );
}

export function TimingLegend() {
  const text = words().requests.legend;
  return (
    <ul class="legend">
      {PHASES.map((phase) => (
        <li key={phase}>
          <i class={phase} aria-hidden="true" />
          {text[phase]}
        </li>
      ))}
    </ul>
  );
}
