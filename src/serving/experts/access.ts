/** How a server wants to be asked beside its address: who asks, and what its owner wants in every request. */
import { z } from 'zod';

/** What a header's value may hold without being read differently somewhere (RFC 9110, section 5.5). */
const VALUE = /^[\x20-\x7e]*$/;
/** Those that the router sets itself, or that frame a message. */
const OWN =
  /^(?:content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|accept-encoding)$/;

/** A key as it was copied from a page or file is often not what it looks like. */
export const apiKey = z
  .string()
  .min(1)
  .superRefine((key, context) => {
    const wrong = wrongIn(key);
    if (wrong !== null) context.addIssue({ code: 'custom', message: wrong });
  });

/** What no key has, and no header may hold; null for nothing. */
function wrongIn(key: string): string | null {
  const at = [...key].findIndex((character) => !/[\x21-\x7e]/.test(character));
  if (at < 0) return null;
  const character = [...key][at]!;
  const where = `at character ${at + 1}`;
  if (/[\r\n]/.test(character)) return `a key without a line end, which it has ${where}`;
  if (/\s/.test(character)) return `a key without white space, which it has ${where}`;
  if (/[\u2018-\u201f]/.test(character)) return `a key without typographic quotes, which it has ${where}`;
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return `a key in ASCII: U+${code} ${where} is no part of one`;
}

export const accessOptions = {
  auth: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, "'bearer', 'none', or a header in lower case")
    .default('bearer')
    .describe('How the key is sent: `bearer`, `none`, or the header that carries it')
    .meta({ examples: ['api-key'] }),
  headers: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9-]{1,64}$/, 'a header in lower case')
        .refine((name) => !OWN.test(name), 'another header: the router sets this one'),
      z.string().regex(VALUE, 'printable ASCII'),
    )
    .default({})
    .describe('Sent with every request, instead of those of clients')
    .meta({ examples: [{ 'openai-organization': 'org-1' }] }),
  query: z
    .record(z.string().min(1), z.string())
    .default({})
    .describe('Added to every address asked; so is a query in `url`')
    .meta({ examples: [{ 'api-version': '2024-10-21' }] }),
};

interface Access {
  readonly api_key?: string | undefined;
  readonly auth: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers that say who asks, and those of the config. */
export function accessHeaders({ api_key: key, auth, headers }: Access): Readonly<Record<string, string>> {
  if (key === undefined || auth === 'none') return headers;
  return auth === 'bearer' ? { authorization: `Bearer ${key}`, ...headers } : { [auth]: key, ...headers };
}

/** The query of every request, `a=1&b=2`; empty for none. A name of `query` replaces the one in the address. */
export function accessQuery(url: string, query: Readonly<Record<string, string>>): string {
  const all = new URL(url).searchParams;
  for (const [name, value] of Object.entries(query)) all.set(name, value);
  return all.toString();
}

/** Where one address is an API, not a base of one. */
const ENDS = /\/(?:chat\/completions|completions|embeddings|responses|messages|rerank)\/*$/;

/** The base of an API. Whatever it has that would be lost is refused. */
export const baseAddress = z
  .url({ protocol: /^https?$/, error: 'an http:// or https:// address' })
  .superRefine((text, context) => {
    if (!URL.canParse(text)) return;
    const { pathname, username, password, hash, origin } = new URL(text);
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    const end = ENDS.exec(pathname);
    if (end)
      refuse(`the address of the whole API: ${origin}${pathname.slice(0, end.index)}, without '${end[0]}'`);
    if (username || password) refuse('an address without credentials; write the key as api_key');
    if (hash) refuse(`an address without '${hash}', which no server sees`);
  });

/** What to say where the environment names a proxy that this address would be expected behind; null for nothing. */
export function unusedProxy(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  const { protocol, hostname } = new URL(url);
  const variable = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = environment[variable] || environment[variable.toLowerCase()];
  if (!proxy || isExempt(hostname, environment.NO_PROXY || environment.no_proxy || '')) return null;
  return `${variable} is set, but experts are asked directly: ${hostname} must be reachable without the proxy, or through a base address of a relay. NO_PROXY with ${hostname} silences this.`;
}

function isExempt(host: string, list: string): boolean {
  if (host === 'localhost' || host === '[::1]' || host.startsWith('127.')) return true;
  return list
    .split(',')
    .map((one) => one.trim().replace(/^\*?\./, ''))
    .some((one) => one === '*' || (one !== '' && (host === one || host.endsWith(`.${one}`))));
}
