/** Reads what gateways have kept, from all files of a folder. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeError, UserError } from '../../core/errors.ts';
import type { DecisionLine, FeedbackLine } from './record.ts';

/**
 * The lines of a folder, file by file; null for one that cannot be read, such as the last of a gateway that was killed.
 *
 * @throws UserError when the folder cannot be read or holds no records
 */
export async function* recordLines(dir: string): AsyncGenerator<DecisionLine | FeedbackLine | null> {
  let names: string[];
  try {
    names = (await readdir(dir)).filter((name) => /^records-.*\.jsonl$/.test(name)).sort();
  } catch (error) {
    throw new UserError(`Cannot read the records in ${dir}: ${describeError(error)}`, { cause: error });
  }
  if (names.length === 0)
    throw new UserError(
      `There are no records in ${dir}; a gateway keeps them where its config has records: {dir: …}.`,
    );
  for (const name of names)
    for await (const line of createInterface({ input: createReadStream(join(dir, name)) }))
      yield parsed(line);
}

function parsed(line: string): DecisionLine | FeedbackLine | null {
  try {
    const value = JSON.parse(line) as DecisionLine | FeedbackLine | null;
    return value?.kind === 'decision' || value?.kind === 'feedback' ? value : null;
  } catch {
    return null;
  }
}
