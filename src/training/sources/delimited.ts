/**
 * Reads comma- or tab-separated values (RFC 4180, quotes may hold line breaks) piece by piece and picks the column
 * that holds the prompts. It knows nothing of files.
 */
import { longestColumn, PROMPT_FIELDS } from './prompts.ts';

/** Rows of a text that comes in pieces. */
export async function* delimitedRows(
  pieces: AsyncIterable<string>,
  separator: ',' | '\t',
): AsyncGenerator<readonly string[]> {
  const reader = new RowReader(separator);
  for await (const piece of pieces) yield* reader.push(piece);
  yield* reader.end();
}

class RowReader {
  private readonly separator: string;
  private row: string[] = [];
  private cell = '';
  private quoted = false;
  private quoteBefore = false;

  constructor(separator: string) {
    this.separator = separator;
  }

  *push(piece: string): Generator<readonly string[]> {
    for (const character of piece) {
      if (this.quoted) this.inQuotes(character);
      else if (yield* this.plain(character)) continue;
    }
  }

  private inQuotes(character: string): void {
    if (character === '"') {
      this.quoted = false;
      this.quoteBefore = true;
    } else this.cell += character;
  }

  private *plain(character: string): Generator<readonly string[], boolean> {
    const afterQuote = this.quoteBefore;
    this.quoteBefore = false;
    if (character === '"' && this.separator === ',' && (afterQuote || this.cell === '')) {
      if (afterQuote) this.cell += '"';
      this.quoted = true;
    } else if (character === this.separator) this.endCell();
    else if (character === '\n') {
      yield* this.end();
    } else if (character !== '\r') this.cell += character;
    return true;
  }

  private endCell(): void {
    this.row.push(this.cell);
    this.cell = '';
  }

  *end(): Generator<readonly string[]> {
    if (this.row.length === 0 && this.cell === '') return;
    this.endCell();
    yield this.row;
    this.row = [];
  }
}

const LOOKED_AT = 50;

/** The prompts of a table: by header where one is recognised (or named), else the column with the most text. */
export async function* tablePrompts(
  rows: AsyncIterable<readonly string[]>,
  field: string | undefined,
): AsyncGenerator<string> {
  const first: (readonly string[])[] = [];
  let column: number | undefined;
  for await (const row of rows) {
    if (column === undefined) {
      first.push(row);
      if (first.length === 1) column = headerColumn(row, field);
      if (column === undefined && first.length < LOOKED_AT) continue;
      if (column === undefined) {
        column = longestColumn(first);
        yield* first.flatMap((one) => one[column!] ?? []);
      }
      continue;
    }
    const cell = row[column];
    if (cell !== undefined) yield cell;
  }
  if (column === undefined && first.length > 0) {
    const longest = longestColumn(first);
    yield* first.flatMap((one) => one[longest] ?? []);
  }
}

function headerColumn(row: readonly string[], field: string | undefined): number | undefined {
  const names = row.map((cell) => cell.trim().toLowerCase());
  for (const wanted of field === undefined ? PROMPT_FIELDS : [field.toLowerCase()]) {
    const index = names.indexOf(wanted);
    if (index >= 0) return index;
  }
  return undefined;
}
