/** Numbers and times as they stand on a command line, checked with the option's name in the message. */
import { parseDuration } from '../../core/duration.ts';
import { UsageError } from '../usage-error.ts';

/** @throws {UserError} for anything but a number above 0 */
export function amountOf(option: string, text: string, kind: 'whole' | 'any' = 'any'): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)) || (kind === 'whole' && !Number.isInteger(value)))
    throw new UsageError(
      `${option}: must be a ${kind === 'whole' ? 'whole ' : ''}number above 0, is "${text}".`,
    );
  return value;
}

export function namedList(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

/** `20s` or `500ms`, or 0. @throws {UserError} for anything else */
export function secondsOf(option: string, text: string): number {
  const ms = text === '0' ? 0 : parseDuration(text);
  if (ms !== null) return ms / 1000;
  throw new UsageError(`${option}: must be a time such as 20s, is "${text}".`);
}
