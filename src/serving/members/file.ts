/** A list of addresses in a file that others write, followed as it changes. */
import { unwatchFile, watchFile as watchPath } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { describeError } from '../../core/errors.ts';
import { settledText } from '../../core/settled.ts';
import { baseAddress } from '../experts/access.ts';
import type { Found } from '../fleet/membership.ts';
import type { Source, Surroundings } from './source.ts';

const LOOK_EVERY_MS = 1_000;
const MOST_BYTES = 1_000_000;
const HOST_PORT = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d{1,5}$/i;

const address = z
  .string()
  .transform((text) => (HOST_PORT.test(text) ? `http://${text}` : text))
  .pipe(baseAddress);
const entry = z.union([
  address.transform((url) => ({ url, weight: 1 })),
  z.strictObject({ url: address, weight: z.number().positive().default(1) }),
]);
const list = z.array(entry).max(10_000);

export function watchFile(path: string, { tell, trouble }: Surroundings): Source {
  let closed = false;
  let reading = Promise.resolve();
  let before: string | null = null;
  const read = async (): Promise<void> => {
    if (closed) return;
    try {
      const text = await settledText(path, bounded);
      if (closed || text === before) return;
      const found = addressesIn(text);
      before = text;
      trouble(null);
      tell(found);
    } catch (error) {
      if (!closed) trouble(`${path} is not taken up: ${describeError(error)}`);
    }
  };
  const look = (): void => {
    reading = reading.then(read);
  };
  watchPath(path, { interval: LOOK_EVERY_MS, persistent: false }, look);
  look();
  // A watch sees changes after its first look alone.
  const again = setTimeout(look, LOOK_EVERY_MS).unref();
  return {
    close: () => {
      closed = true;
      clearTimeout(again);
      unwatchFile(path, look);
    },
  };
}

async function bounded(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  if (text.length > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
  return text;
}

/** @throws Error where a text is no whole list of addresses */
export function addressesIn(text: string): readonly Found[] {
  // YAML that was cut in mid-line can be a shorter list; JSON that was cut is none.
  if (!/[\n\]]$/.test(text)) throw new Error('it ends in the middle of a line; end it with a newline');
  const value: unknown = parse(text, { logLevel: 'error', maxAliasCount: 0 });
  const read = list.safeParse(value);
  if (read.success) return read.data;
  const { path, message } = read.error.issues[0]!;
  throw new Error(
    `it must be a list of addresses, such as [10.0.0.1:8000, {url: http://gpu2:8000, weight: 2}]${path.length > 0 ? `; entry ${String(path[0])}` : ''}: ${message}`,
  );
}
