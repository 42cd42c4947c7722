/** Reads the comma-separated calibration tables, including quoted fields. */
import { readFileSync } from 'node:fs';
import { UserError } from '../../src/core/errors.ts';

export type Row = Readonly<Record<string, string>>;

/** @throws {UserError} when the file cannot be read, saying how to set the folder */
export function readTable(path: string): readonly Row[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UserError(
      `calibration: cannot read ${path}; give the folder of the reference data as argument.`,
      {
        cause,
      },
    );
  }
  const [head, ...lines] = text.split(/\r?\n/).filter(Boolean);
  const names = splitLine(head ?? '');
  return lines.map((line) => {
    const values = splitLine(line);
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
  });
}

function splitLine(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    fields.push((match[1] ?? match[2] ?? '').replaceAll('""', '"'));
  return fields;
}
