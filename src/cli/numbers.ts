/** Numbers as options: each reader says what it wanted when it gets something else. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../core/duration.ts';

export function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('a whole number of 0 or more is needed.');
}

export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('a number above 0 is needed.');
}

/** Milliseconds. */
export function duration(text: string): number {
  const value = parseDuration(text);
  if (value !== null) return value;
  throw new InvalidArgumentError('a duration is needed, as in 250ms, 5s or 2m.');
}

/** Seconds: a bare number, or a duration. */
export function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (parseDuration(text) ?? Number.NaN) / 1000;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('seconds are needed, as in 60, or a duration such as 500ms or 2m.');
}
