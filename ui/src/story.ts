/** A request's story, sentence by sentence. */
import type { Choice, Row } from '../../src/serving/board/wire.ts';
import { clock, count, duration, percent } from './format.ts';
import { words } from './words/index.ts';

/** A wait shorter than this is none to a person. */
const NOTICED_MS = 1;

export function storyOf(row: Row): readonly string[] {
  const text = words().trace;
  const { key, decidedMs, choice, firstMs } = row;
  return [
    text.came(clock(row.at), row.path ?? '?') + (key === null ? '' : ` ${text.by(key)}`),
    ...(choice && decidedMs !== null ? [chosen(choice, decidedMs)] : [text.refused]),
    ...(choice ? [...waited(row, choice), ...tries(row)] : []),
    ...(firstMs === null ? [] : [text.first(duration(firstMs))]),
    ...ending(row),
  ];
}

function chosen(choice: Choice, decidedMs: number): string {
  const { trace, decide } = words();
  const { expert, home, reason, outside, clusterName, cluster, confidence } = choice;
  return [
    trace.decided(duration(decidedMs)),
    trace.topic(clusterName, cluster, percent(confidence)),
    outside && reason !== 'outside' ? trace.outsideText : '',
    decide.reasons[reason]?.(expert, home) ?? reason,
  ]
    .filter(Boolean)
    .join(' ');
}

function waited({ asked, decidedMs }: Row, { expectedMs }: Choice): readonly string[] {
  const text = words().trace;
  const [first] = asked;
  if (!first || decidedMs === null) return [];
  const wait = first.fromMs - decidedMs;
  return [wait < NOTICED_MS ? text.noQueue : text.queue(duration(wait), duration(expectedMs))];
}

function tries({ asked }: Row): readonly string[] {
  const text = words().trace;
  return asked.flatMap(({ expert, replica, fromMs, failedMs, error }, place) => {
    const who = replica ?? expert;
    const beside = asked.slice(0, place).some((one) => one.failedMs === null || one.failedMs > fromMs);
    const told = beside ? text.hedged(who, duration(fromMs)) : text.asked(who, duration(fromMs));
    return failedMs === null
      ? [told]
      : [told, text.failedTry(who, duration(failedMs - fromMs), error ?? '?')];
  });
}

function ending(row: Row): readonly string[] {
  const text = words().trace;
  const { running, firstMs, totalMs, error, whole } = row;
  if (running) return [...(firstMs === null ? [text.waitingFirst] : []), text.running(duration(totalMs))];
  if (error !== null) return [text.failed(error, duration(totalMs))];
  if (!whole) return [text.left(duration(totalMs))];
  return [text.ended(duration(totalMs)), usage(row)];
}

function usage({ input, output, cached, firstMs, totalMs }: Row): string {
  const text = words().trace;
  if (input === null || output === null) return text.noTokens;
  const each = firstMs !== null && output > 1 ? (totalMs - firstMs) / (output - 1) : null;
  return [
    text.tokens(count(input), count(output)),
    cached === null || cached === 0 ? '' : text.cached(count(cached)),
    each === null ? '' : text.speed(duration(each)),
  ]
    .filter(Boolean)
    .join(' ');
}
