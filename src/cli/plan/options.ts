/** Numbers and levels as they stand on a command line, checked with the option's name in the message. */
import type { ServiceLevel } from '../../simulating/planner/placements.ts';
import { UsageError } from '../usage-error.ts';

/** @throws {UserError} for anything but a number above 0. */
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

/** `ttft=1s,tpot=50ms`. @throws {UserError} for other levels or units. */
export function parseServiceLevel(text: string | undefined): ServiceLevel {
  const level: { ttftSeconds?: number; tpotSeconds?: number } = {};
  for (const part of namedList(text ?? '')) {
    const match = /^(ttft|tpot)=(\d+(?:\.\d+)?)(ms|s)$/.exec(part);
    if (!match) throw new UsageError(`--slo: "${part}" is not of the form ttft=1s or tpot=50ms.`);
    const seconds = Number(match[2]) * (match[3] === 'ms' ? 1e-3 : 1);
    if (match[1] === 'ttft') level.ttftSeconds = seconds;
    else level.tpotSeconds = seconds;
  }
  return level;
}
