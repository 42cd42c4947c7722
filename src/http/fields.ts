/** Reads message heads strictly (RFC 9110 section 5, RFC 9112): fields, lengths, codings, persistence. */

/** Bytes that break HTTP/1.1, or more of them than the bounds allow. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/** Lower-case names; repeated fields joined by a comma. */
export type Fields = Readonly<Record<string, string>>;

export const MAX_HEAD_BYTES = 64 * 1024;
const MAX_FIELDS = 1_000;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110, section 5.5, read as latin1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @param first the index of the first of them @throws FramingError for a line that is not a field, or more than 1,000 of them */
export function readFields(lines: readonly string[], first = 0): Record<string, string> {
  if (lines.length - first > MAX_FIELDS) throw new FramingError(`more than ${MAX_FIELDS} header fields`);
  const fields: Record<string, string> = Object.create(null);
  for (let at = first; at < lines.length; at += 1) {
    const line = lines[at]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon <= 0 || !NAME.test(name)) throw new FramingError(`bad header line ${quoted(line)}`);
    const value = withoutBlanks(line.slice(colon + 1));
    if (!VALUE.test(value)) throw new FramingError(`bad value of header '${name}'`);
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
  }
  return fields;
}

/** The members of a comma-separated list, in lower case. */
export function membersOf(list: string | undefined): readonly string[] {
  return list === undefined ? [] : list.split(',').map((one) => withoutBlanks(one).toLowerCase());
}

/** Whether the connection outlives this message (RFC 9112, section 9.3). @param minor of HTTP/1.x */
export function staysOpen(minor: 0 | 1, connection: string | undefined): boolean {
  if (connection === undefined) return minor === 1;
  const options = membersOf(connection);
  return minor === 1 ? !options.includes('close') : options.includes('keep-alive');
}

/** The value of `content-length`. @throws FramingError for anything but digits */
export function lengthOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new FramingError(`bad content-length ${quoted(value)}`);
  return Number(value);
}

/** The start of foreign text, quoted for an error message. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

/** Spaces and tabs only: `trim` would also take bytes above 127 that are part of a value. */
function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
