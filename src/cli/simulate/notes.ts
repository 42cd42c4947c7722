/** What a reader must know of a simulated stage before believing its figures: saturation, refusals, a state still changing. */
import type { StageMeasures } from '../../simulating/fleet/measures.ts';

/** Sentences, none when the stage is what it seems. */
export function stageNotes(name: string, stage: StageMeasures): readonly string[] {
  const at = `${name}${stage.users > 0 ? ` at ${stage.users.toLocaleString('en-US')} users` : ''}`;
  const { present, rate_times_time, steady } = stage.little;
  const notes: string[] = [];
  if (stage.unfinished > 0) {
    const why =
      stage.users > 0
        ? `answers take longer than was simulated: ${percent(stage.unfinished)} of those asked for in ${stage.seconds} s had not ended long after; lengthen "seconds"`
        : `it is saturated: ${percent(stage.unfinished)} of the requests asked in ${stage.seconds} s were unanswered as long again after`;
    notes.push(
      `${at}: ${why}. Times marked > are lower bounds; they say how long was simulated, not how long people wait.`,
    );
  } else if (stage.requests === 0)
    notes.push(`${at}: nobody asked within the ${stage.seconds} measured seconds; lengthen "seconds".`);
  else if (!steady)
    notes.push(
      `${at} had not settled: ${present.toFixed(1)} requests were present on average, but their rate times their stay is ` +
        `${rate_times_time.toFixed(1)}; lengthen "warmup" and "seconds".`,
    );
  if (stage.errors > 0)
    notes.push(`${at}: ${stage.errors} requests were refused because no empty engine could hold them.`);
  return notes;
}

function percent(share: number): string {
  return share < 0.01 ? 'less than 1 %' : `${Math.round(100 * share)} %`;
}
