/** Parsers of models, numbers and service levels. */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { findModel } from '../../simulating/model/catalog.ts';
import { shapeFromConfig } from '../../simulating/model/huggingface.ts';
import type { TransformerShape } from '../../simulating/model/shape.ts';
import type { ServiceLevel } from '../../simulating/planner/placements.ts';
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

/** `ttft=1s,tpot=50ms`. @throws {UserError} for other levels or units */
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

/** A built-in model shape, or one read from a config.json. @throws {UserError} when neither can be found or read */
export async function modelNamed(name: string): Promise<TransformerShape> {
  if (!name.endsWith('.json')) return findModel(name);
  let text: string;
  try {
    text = await readFile(name, 'utf8');
  } catch (cause) {
    throw new UserError(`model: cannot read ${name}.`, { cause });
  }
  const folder = basename(dirname(name));
  return shapeFromConfig(folder && folder !== '.' ? folder : basename(name, '.json'), text);
}
