/**
 * Brings one address into one `.partial` file, going on where an earlier attempt stopped, and trying again after
 * transient failures.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'undici';
import { describeError, UserError } from '../../core/errors.ts';
import type { Http } from './http.ts';
import { redact } from './reference.ts';

export interface DownloadOptions {
  readonly http: Http;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number | undefined) => void;
  readonly headers?: Record<string, string>;
  readonly attempts?: number;
  /** Wait before the second attempt; doubles with each further one. */
  readonly backoffMs?: number;
}

/** A server's answer that asking again will not change. */
export class RefusedDownload extends Error {
  readonly status: number;
  constructor(status: number, url: string) {
    super(`${redact(url)} answered ${status}`);
    this.status = status;
  }
}

/** Appends what is missing to `partial`. Resolves when the server has sent everything. */
export async function download(url: string, partial: string, options: DownloadOptions): Promise<void> {
  try {
    await retrying(options, () => transfer(url, partial, options));
  } catch (error) {
    throw isDiskFull(error) ? diskFull(partial, error) : error;
  }
}

/** Tries again after transient failures, each time after twice the wait; not after a refusal or an abort. */
export async function retrying<T>(
  options: Pick<DownloadOptions, 'signal' | 'attempts' | 'backoffMs'>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      options.signal.throwIfAborted();
      const final = error instanceof RefusedDownload || isDiskFull(error);
      if (final || count >= (options.attempts ?? 4)) throw error;
      await sleep((options.backoffMs ?? 500) * 2 ** (count - 1), undefined, { signal: options.signal });
    }
  }
}

async function transfer(url: string, partial: string, options: DownloadOptions): Promise<void> {
  const have = await stat(partial).then(
    (found) => found.size,
    () => 0,
  );
  // Identity: a compressed body would make byte ranges mean something else.
  const headers: Record<string, string> = { 'accept-encoding': 'identity', ...options.headers };
  if (have > 0) headers.range = `bytes=${have}-`;
  const response = await options.http.get(url, headers, options.signal);
  const start = startOf(response, have);
  if (start === 'complete') return void (await response.body?.cancel());
  if (start === 'refused') {
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429)
      throw new Error(`${redact(url)} answered ${response.status}`);
    throw new RefusedDownload(response.status, url);
  }
  const length = response.headers.get('content-length');
  const total = length === null ? undefined : start + Number(length);
  const done = await append(response, partial, start, (now) => options.onProgress?.(now, total));
  if (total !== undefined && done !== total)
    throw new Error(`${redact(url)} stopped after ${done} of ${total} bytes`);
}

/** The offset at which this response's bytes belong. A server that ignores ranges starts again at zero. */
function startOf(response: Response, have: number): number | 'complete' | 'refused' {
  if (response.status === 206) {
    const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
    return range && Number(range[1]) === have ? have : 'refused';
  }
  if (response.status === 200) return 0;
  if (response.status === 416 && have > 0) return 'complete';
  return 'refused';
}

async function append(
  response: Response,
  partial: string,
  start: number,
  onBytes: (done: number) => void,
): Promise<number> {
  const file = await open(partial, start > 0 ? 'a' : 'w');
  let done = start;
  try {
    for await (const chunk of response.body ?? []) {
      await file.writeFile(chunk as Uint8Array);
      done += (chunk as Uint8Array).byteLength;
      onBytes(done);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return done;
}

/** The sha256 of a file in hexadecimal, read once in pieces. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const pieces = createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) });
  for await (const piece of pieces) hash.update(piece as Buffer);
  return hash.digest('hex');
}

export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export function diskFull(path: string, cause: unknown): UserError {
  return new UserError(
    `The disk is full: ${path} could not be written (${describeError(cause)}). ` +
      'Make room, or set EXPERT_ROUTER_CACHE to a folder on another disk; what was fetched so far is kept.',
  );
}
