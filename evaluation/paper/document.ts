/** Inserts computed tables into a document, between markers, so that its figures cannot drift from the code. */
import { readFile } from 'node:fs/promises';
import { UserError } from '../../src/core/errors.ts';
import { writeFileAtomically } from '../../src/core/files.ts';

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Replaces the text between `<!-- name -->` and `<!-- /name -->`. @throws {UserError} when a marker is missing. */
export async function fillDocument(path: string, blocks: Readonly<Record<string, string>>): Promise<void> {
  let text = await readFile(path, 'utf8');
  for (const [name, block] of Object.entries(blocks)) {
    const open = `<!-- ${name} -->`;
    const close = `<!-- /${name} -->`;
    const [from, to] = [text.indexOf(open), text.indexOf(close)];
    if (from < 0 || to < from)
      throw new UserError(`${path}: has no markers ${open} … ${close} for computed figures.`);
    text = `${text.slice(0, from + open.length)}\n${block}\n${text.slice(to)}`;
  }
  await writeFileAtomically(path, text);
}
