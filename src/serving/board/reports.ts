/** Reports in a folder, such as those of load tests and simulations: listed, and sent so that they can do nothing. */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';

export interface ReportFile {
  /** Of the file, in the folder itself. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970 at which it was written. */
  readonly at: number;
}

const MOST_LISTED = 500;
const MOST_BYTES = 32 << 20;
/** No separator, no hidden file; what it allows cannot leave the folder. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_ .,()+@=-]{0,200}\.html$/u;

/** Own styles and pictures are all that a report may have: no script, no request, no form, and no origin. */
const POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'self'";

export const REPORT_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** Newest first. @throws RouterError `not_found` where the folder cannot be read */
export async function listReports(dir: string): Promise<readonly ReportFile[]> {
  const names = (await readdir(dir, { withFileTypes: true }).catch(missing))
    .filter((entry) => entry.isFile() && NAME.test(entry.name))
    .map(({ name }) => name);
  const files = await Promise.all(
    names.map(async (name): Promise<ReportFile[]> => {
      const found = await stat(join(dir, name)).catch(() => null);
      return found ? [{ name, bytes: found.size, at: Math.round(found.mtimeMs) }] : [];
    }),
  );
  return files
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST_LISTED);
}

/** @throws RouterError `not_found` for what is no report of the folder, links among them */
export async function readReport(dir: string, name: string): Promise<Buffer> {
  if (!NAME.test(name)) throw nothing(name);
  // What the list has: a regular file, and no link to one elsewhere.
  const entries = await readdir(dir, { withFileTypes: true }).catch(missing);
  if (!entries.some((entry) => entry.name === name && entry.isFile())) throw nothing(name);
  const file = await open(join(dir, name), 'r').catch(() => {
    throw nothing(name);
  });
  try {
    const { size } = await file.stat();
    if (size > MOST_BYTES)
      throw new RouterError(
        'invalid_request',
        `${excerpt(name)} is larger than ${MOST_BYTES >> 20} MB; open it as a file.`,
      );
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function missing(): never {
  throw new RouterError('not_found', 'The folder of the reports (reports in the config) cannot be read.');
}

function nothing(name: string): RouterError {
  return new RouterError('not_found', `There is no report ${excerpt(name)}.`);
}
