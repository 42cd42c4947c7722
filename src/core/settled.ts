/** The text of a file that somebody may be writing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from './errors.ts';

/** A file that says the same after this long is not being written any more. */
const SETTLED_MS = 250;
/** Looks at a file that changes all the time, before giving up until it changes again. */
const MOST_LOOKS = 40;

/** What a file says once it has stopped changing. @throws UserError when it does not stop, and what `read` throws */
export async function settledText(file: string, read: (file: string) => Promise<string>): Promise<string> {
  let before: string | null = null;
  for (let look = 0; look < MOST_LOOKS; look++) {
    const now = await read(file);
    if (now === before) return now;
    before = now;
    await sleep(SETTLED_MS);
  }
  throw new UserError(`${file} changes all the time; it is taken up once it stays as it is.`);
}
