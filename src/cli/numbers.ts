/** Parsers of numeric options, with messages that say what is expected. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../core/duration.ts';

export function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of 0 or more.');
}

export function positiveWhole(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a whole number of 1 or more.');
}

/** Whole numbers of 0 or more, between commas. */
export function counts(text: string): readonly number[] {
  return text.split(',').map((one) => count(one.trim()));
}

export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('expected a number above 0.');
}

/** Milliseconds. */
export function duration(text: string): number {
  const value = parseDuration(text);
  if (value !== null) return value;
  throw new InvalidArgumentError('expected a duration, such as 250ms, 5s or 2m.');
}

/** Seconds: a bare number, or a duration. */
export function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (parseDuration(text) ?? Number.NaN) / 1000;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('expected seconds, such as 60, or a duration such as 500ms or 2m.');
}
