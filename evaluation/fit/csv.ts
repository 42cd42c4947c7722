/** Reads the tables of published measurements in `evaluation/data`. None has quoted fields. */
import { readFileSync } from 'node:fs';
import { UserError } from '../../src/core/errors.ts';

export type Row = Readonly<Record<string, string>>;

/** From the repository's root, where npm runs scripts. */
const TABLES = 'evaluation/data';

/** @throws {UserError} when the table cannot be read */
export function readTable(name: string): readonly Row[] {
  const path = `${TABLES}/${name}.csv`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UserError(`cannot read ${path}; run this from the repository's root.`, { cause });
  }
  const [head, ...lines] = text.split(/\r?\n/).filter(Boolean);
  const names = (head ?? '').split(',');
  return lines.map((line) => {
    const values = line.split(',');
    return Object.fromEntries(names.map((column, i) => [column, values[i] ?? '']));
  });
}
