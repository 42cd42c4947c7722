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
const NOTICED_MS = 10;

export function storyOf(row: Row, telling: Telling): readonly string[] {
  const { sentences: text } = telling.words;
  const { key, decidedMs, choice } = row;
  return [
    text.came(telling.numbers.clock(row.at), row.path ?? '?') +
      (key === null ? '' : telling.words.gap + text.by(key)),
    ...(choice && decidedMs !== null ? [chosen(choice, decidedMs, telling)] : []),
    ...waited(row, telling),
    ...answering(row, telling),
    ...moved(row, telling),
    ...(row.asked.length === 0 && !row.running ? [text.refused] : []),
    ...ending(row, telling),
  ];
}

/** Why it went where it was first sent. */
export function reasonText(
  {
    reason,
    spilledFor,
    expert,
    home,
    owner,
  }: Pick<Choice, 'reason' | 'spilledFor' | 'expert' | 'home' | 'owner'>,
  { reasons }: Pick<StoryWords, 'reasons'>,
): string {
  const cause = spilledFor ?? (owner === expert ? '' : 'said');
  const told = reasons[`${reason}: ${cause}`] ?? reasons[reason];
  return told?.(expert, home) ?? reason;
}

/** Why it failed, for those who look at many; null where it did not. */
export function failureText(
  { error, asked }: Pick<Row, 'error' | 'asked'>,
  words: Pick<StoryWords, 'errors' | 'refusals'>,
): string | null {
  if (error === null) return null;
  const last = asked.at(-1);
  return inWords(error, words, last?.error === error ? last.status : null) ?? error;
}

function inWords(
  code: string | null,
  { errors, refusals }: Pick<StoryWords, 'errors' | 'refusals'>,
  status: number | null,
): string | undefined {
  return refusals[status ?? 0] ?? (errors as Readonly<Record<string, string>>)[code ?? ''];
}

/** What went wrong, with its code, and its status where an expert told one, for those who look it up. */
function errorText(code: string | null, words: StoryWords, status: number | null = null): string {
  const told = inWords(code, words, status);
  const names = [code ?? '?', ...(status === null ? [] : [`HTTP ${status}`])].join(', ');
  return told === undefined ? names : `${told} (${names})`;
}

function chosen(choice: Choice, decidedMs: number, { words, numbers }: Telling): string {
  const { sentences: text } = words;
  const { duration, percent } = numbers;
  const { reason, outside, clusterName, cluster, confidence } = choice;
  return [
    text.decided(duration(decidedMs)),
    text.topic(clusterName, cluster, percent(confidence)),
    outside && reason !== 'outside' ? text.outsideText : '',
    reasonText(choice, words),
  ]
    .filter(Boolean)
    .join(words.gap);
}

function moved({ livedAt, expert, input, cached }: Row, { words, numbers }: Telling): readonly string[] {
  const { sentences: text } = words;
  if (livedAt === null || expert === null || livedAt === expert) return [];
  const reread = input === null || cached === null ? '' : text.reread(numbers.count(input - cached));
  return [[text.moved(livedAt, expert), reread].filter(Boolean).join(words.gap)];
}

function waited(row: Row, { words, numbers }: Telling): readonly string[] {
  const { sentences: text } = words;
  const { duration } = numbers;
  const { asked, choice, decidedMs, expectedMs, totalMs } = row;
  if (!choice || decidedMs === null) return [];
  const cold = choice.cold ? [text.cold(choice.expert)] : [];
  const first = asked[0]?.fromMs;
  // Who never came to an expert has waited for one to its end.
  const wait = (first ?? totalMs) - decidedMs;
  if (wait < NOTICED_MS) return first === undefined ? cold : [...cold, text.noQueue];
  const expected = expectedMs === null || expectedMs < NOTICED_MS ? null : duration(expectedMs);
  return [...cold, text.queue(duration(wait), expected)];
}

/** Who was asked, what failed and when the first token came, in the order of time. */
function answering(row: Row, { words, numbers }: Telling): readonly string[] {
  const { sentences: text } = words;
  const { duration } = numbers;
  const { asked, firstMs, running, stream } = row;
  const told: { at: number; said: string }[] = [];
  for (const [place, { expert, replica, fromMs, answeredMs, failedMs, error, status }] of asked.entries()) {
    const who = replica ?? expert;
    const at = duration(fromMs);
    if (isHedge(asked, place)) told.push({ at: fromMs, said: text.hedged(who, at) });
    else if (place === 0) told.push({ at: fromMs, said: text.asked(who, at) });
    else {
      const wait = fromMs - Math.max(...asked.slice(0, place).map((one) => one.failedMs ?? 0));
      told.push({ at: fromMs, said: text.again(who, at, wait < NOTICED_MS ? null : duration(wait)) });
    }
    if (failedMs !== null)
      told.push({
        at: failedMs,
        said: text.failedTry(who, duration(failedMs - fromMs), errorText(error, words, status)),
      });
    else if (answeredMs === null && !running && firstMs !== null)
      told.push({ at: firstMs, said: text.givenUp(who) });
  }
  if (firstMs !== null && stream) told.push({ at: firstMs, said: text.first(duration(firstMs)) });
  return told.sort((a, b) => a.at - b.at).map(({ said }) => said);
}

function ending(row: Row, telling: Telling): readonly string[] {
  const { sentences: text } = telling.words;
  const { duration } = telling.numbers;
  const { running, firstMs, totalMs, error, whole, status, asked } = row;
  const time = duration(totalMs);
  if (running) return [...(firstMs === null ? [text.waitingFirst] : []), text.running(time)];
  if (error === 'expert_error' && status !== null) return [text.passedOn(String(status), time)];
  if (error !== null && asked.at(-1)?.error === error) return [text.failedSo(time)];
  if (error !== null) return [text.failed(errorText(error, telling.words), time)];
  if (!whole) return [text.left(time)];
  return asked.length === 0 ? [] : [text.ended(time), usage(row, telling)];
}

function usage(
  { input, output, cached, firstMs, totalMs, usd, expert, stream }: Row,
  { words, numbers }: Telling,
): string {
  const { sentences: text } = words;
  const { count, duration } = numbers;
  if (input === null || output === null) return text.noTokens;
  const each = stream && firstMs !== null && output > 1 ? (totalMs - firstMs) / (output - 1) : null;
  return [
    text.tokens(count(input), count(output)),
    cached === null || cached === 0 ? '' : text.cached(count(cached)),
    each === null ? '' : text.speed(duration(each)),
    usd === null ? text.noPrice(expert ?? '?') : text.cost(usd.toFixed(6)),
  ]
    .filter(Boolean)
    .join(words.gap);
}
