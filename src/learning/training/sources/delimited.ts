/**
 * Reads comma- or tab-separated values (RFC 4180, quotes may hold line breaks) piece by piece and picks the column
 * that holds the prompts. It knows nothing of files.
 */
import { isSkipped, type Looking, longestColumn, PROMPT_FIELDS } from './prompts.ts';

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
  readonly #separator: string;
  #row: string[] = [];
  #cell = '';
  #quoted = false;
  #quoteBefore = false;

  constructor(separator: string) {
    this.#separator = separator;
  }

  *push(piece: string): Generator<readonly string[]> {
    for (const character of piece) {
      if (this.#quoted) this.#inQuotes(character);
      else if (character === '\n') yield* this.end();
      else this.#plain(character);
    }
  }

  #inQuotes(character: string): void {
    if (character === '"') {
      this.#quoted = false;
      this.#quoteBefore = true;
    } else this.#cell += character;
  }

  #plain(character: string): void {
    const afterQuote = this.#quoteBefore;
    this.#quoteBefore = false;
    if (character === '"' && this.#separator === ',' && (afterQuote || this.#cell === '')) {
      if (afterQuote) this.#cell += '"';
      this.#quoted = true;
    } else if (character === this.#separator) this.#endCell();
    else if (character !== '\r') this.#cell += character;
  }

  #endCell(): void {
    this.#row.push(this.#cell);
    this.#cell = '';
  }

  *end(): Generator<readonly string[]> {
    this.#quoteBefore = false;
    if (this.#row.length === 0 && this.#cell === '') return;
    this.#endCell();
    yield this.#row;
    this.#row = [];
  }
}

const LOOKED_AT = 50;

/** The prompts of a table: by header where one is recognised (or named), else the column with the most text. */
export async function* tablePrompts(
  rows: AsyncIterable<readonly string[]>,
  looking: Looking,
): AsyncGenerator<string> {
  const waiting: (readonly string[])[] = [];
  let column: number | undefined;
  let first = true;
  for await (const row of rows) {
    const header = first ? headerColumn(row, looking.field) : undefined;
    first = false;
    if (header !== undefined) column = header;
    else if (column !== undefined) yield* cellOf(row, column, looking);
    else if (waiting.push(row) >= LOOKED_AT) {
      column = longestColumn(waiting);
      for (const one of waiting.splice(0)) yield* cellOf(one, column, looking);
    }
  }
  const longest = column ?? longestColumn(waiting);
  for (const one of waiting) yield* cellOf(one, longest, looking);
}

function cellOf(row: readonly string[], column: number, looking: Looking): readonly string[] {
  const cell = row[column];
  return cell === undefined || isSkipped(row, looking) ? [] : [cell];
}

function headerColumn(row: readonly string[], field: string | undefined): number | undefined {
  const names = row.map((cell) => cell.trim().toLowerCase());
  for (const wanted of field === undefined ? PROMPT_FIELDS : [field.toLowerCase()]) {
    const index = names.indexOf(wanted);
    if (index >= 0) return index;
  }
  return undefined;
}
