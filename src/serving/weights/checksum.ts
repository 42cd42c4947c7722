/** The sha256 of a file, read once in pieces. It knows nothing of what the sum should be. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, {
    highWaterMark: 1 << 20,
    ...(signal ? { signal } : {}),
  })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
