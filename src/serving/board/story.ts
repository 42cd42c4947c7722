/** A request's story, sentence by sentence, in the words of a language. */
import { isHedge } from '../telemetry/hedges.ts';
import type { StoryWords } from './story-words.ts';
import type { Choice, Row } from './wire.ts';

/** How a language writes numbers and times. */
export interface StoryNumbers {
  clock(at: number): string;
  count(value: number): string;
  duration(ms: number | null): string;
  percent(share: number): string;
}

interface Telling {
  readonly words: StoryWords;
  readonly numbers: StoryNumbers;
}

/** A wait shorter than this is none to a person. */
const NOTICED_MS = 1;

export function storyOf(row: Row, telling: Telling): readonly string[] {
  const { sentences: text } = telling.words;
  const { clock, duration } = telling.numbers;
  const { key, decidedMs, choice, firstMs } = row;
  return [
    text.came(clock(row.at), row.path ?? '?') + (key === null ? '' : ` ${text.by(key)}`),
    ...(choice && decidedMs !== null ? [chosen(choice, decidedMs, telling)] : [text.refused]),
    ...moved(row, telling),
    ...(choice ? [...waited(row, telling), ...tries(row, telling)] : []),
    ...(firstMs === null ? [] : [text.first(duration(firstMs))]),
    ...ending(row, telling),
  ];
}

function chosen(choice: Choice, decidedMs: number, { words, numbers }: Telling): string {
  const { sentences: text, reasons } = words;
  const { duration, percent } = numbers;
  const { expert, home, reason, outside, clusterName, cluster, confidence } = choice;
  return [
    text.decided(duration(decidedMs)),
    text.topic(clusterName, cluster, percent(confidence)),
    outside && reason !== 'outside' ? text.outsideText : '',
    reasons[reason]?.(expert, home) ?? reason,
  ]
    .filter(Boolean)
    .join(' ');
}

function moved({ livedAt, expert, input, cached }: Row, { words, numbers }: Telling): readonly string[] {
  const { sentences: text } = words;
  if (livedAt === null || expert === null || livedAt === expert) return [];
  const reread = input === null || cached === null ? '' : text.reread(numbers.count(input - cached));
  return [[text.moved(livedAt, expert), reread].filter(Boolean).join(' ')];
}

function waited({ asked, decidedMs, expectedMs }: Row, { words, numbers }: Telling): readonly string[] {
  const { sentences: text } = words;
  const { duration } = numbers;
  const [first] = asked;
  if (!first || decidedMs === null) return [];
  const wait = first.fromMs - decidedMs;
  return [wait < NOTICED_MS ? text.noQueue : text.queue(duration(wait), duration(expectedMs))];
}

function tries({ asked }: Row, { words, numbers }: Telling): readonly string[] {
  const { sentences: text } = words;
  const { duration } = numbers;
  return asked.flatMap(({ expert, replica, fromMs, failedMs, error }, place) => {
    const who = replica ?? expert;
    const told = isHedge(asked, place)
      ? text.hedged(who, duration(fromMs))
      : text.asked(who, duration(fromMs));
    return failedMs === null
      ? [told]
      : [told, text.failedTry(who, duration(failedMs - fromMs), error ?? '?')];
  });
}

function ending(row: Row, telling: Telling): readonly string[] {
  const { sentences: text } = telling.words;
  const { duration } = telling.numbers;
  const { running, firstMs, totalMs, error, whole } = row;
  if (running) return [...(firstMs === null ? [text.waitingFirst] : []), text.running(duration(totalMs))];
  if (error !== null) return [text.failed(error, duration(totalMs))];
  if (!whole) return [text.left(duration(totalMs))];
  return [text.ended(duration(totalMs)), usage(row, telling)];
}

function usage(
  { input, output, cached, firstMs, totalMs, usd, expert }: Row,
  { words, numbers }: Telling,
): string {
  const { sentences: text } = words;
  const { count, duration } = numbers;
  if (input === null || output === null) return text.noTokens;
  const each = firstMs !== null && output > 1 ? (totalMs - firstMs) / (output - 1) : null;
  return [
    text.tokens(count(input), count(output)),
    cached === null || cached === 0 ? '' : text.cached(count(cached)),
    each === null ? '' : text.speed(duration(each)),
    usd === null ? text.noPrice(expert ?? '?') : text.cost(usd.toFixed(6)),
  ]
    .filter(Boolean)
    .join(' ');
}
