/** Reads tables: those of published measurements in `evaluation/data`, and others. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { UserError } from '../../src/core/errors.ts';

export type Row = Readonly<Record<string, string>>;

/** From the repository's root, where npm runs scripts. */
const TABLES = 'evaluation/data';

/** @throws {UserError} when the table cannot be read */
export function readTable(name: string): readonly Row[] {
  return readCsv(`${TABLES}/${name}.csv`, "run this from the repository's root");
}

/**
 * @param cure what to do when there is no such file
 * @throws {UserError} when it cannot be read
 */
export function readCsv(path: string, cure: string): readonly Row[] {
  try {
    return parse(readFileSync(path, 'utf8'), { columns: true });
  } catch (cause) {
    throw new UserError(`cannot read ${path}; ${cure}.`, { cause });
  }
}
