/** An engine's measured constants as a YAML file beside a config: written by `calibrate`, read by `plan` and `simulate`. */
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files.ts';
import type { MeasuredConstants } from '../../simulating/cost/measured.ts';

const seconds = z.number().nonnegative();
const schema = z.strictObject({
  engine: z.string(),
  model: z.string(),
  measured: z.string(),
  /** Seconds. */
  first_token: seconds,
  per_prompt_token: seconds,
  per_step: seconds,
  per_sequence: seconds,
  error: z.number().nonnegative(),
});

/** @throws {UserError} naming the file, and the field that is wrong */
export async function readCalibrationFile(path: string): Promise<MeasuredConstants> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new UserError(`calibrated: cannot read ${path}; expert-router calibrate writes it.`, { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new UserError(`calibrated: ${path}: ${issue.path.join('.') || 'the file'}: ${issue.message}.`);
  }
  const { first_token, per_prompt_token, per_step, per_sequence, error } = result.data;
  return {
    firstToken: first_token,
    perPromptToken: per_prompt_token,
    perStep: per_step,
    perSequence: per_sequence,
    error,
  };
}

type Calibration = z.infer<typeof schema>;

/** What the file keeps, to four digits. */
export function calibrationOf(
  about: Pick<Calibration, 'engine' | 'model' | 'measured'>,
  c: MeasuredConstants,
): Calibration {
  const round = (value: number): number => Number(value.toPrecision(4));
  return {
    ...about,
    first_token: round(c.firstToken),
    per_prompt_token: round(c.perPromptToken),
    per_step: round(c.perStep),
    per_sequence: round(c.perSequence),
    error: round(c.error),
  };
}

export async function writeCalibrationFile(path: string, calibration: Calibration): Promise<void> {
  const text = stringify(calibration);
  await writeFileAtomically(path, `# Measured by expert-router calibrate. Times are seconds.\n${text}`);
}
