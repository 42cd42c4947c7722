/** How a server wants to be asked beside its address: who asks, and what its owner wants in every request. */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import type { Trust } from '../../http/client.ts';
import { type HttpProxy, proxyAt } from '../../http/proxy.ts';
import type { ExpertDeps } from './kind.ts';
import { readTrust, type TrustFiles } from './trust.ts';

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

export const proxyOption = z
  .union([z.literal('none'), z.url({ protocol: /^http$/, error: "an http:// address, or 'none'" })])
  .optional()
  .describe(
    'HTTP proxy that it is asked through, with `user:password@` where it wants them; `none` for none. When absent, HTTPS_PROXY, HTTP_PROXY and NO_PROXY count',
  )
  .meta({ examples: ['http://proxy:3128'] });

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

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that a server is asked through: the config's, else the environment's HTTPS_PROXY or HTTP_PROXY but for what
 * NO_PROXY names; null for none.
 * @throws UserError for a proxy of the environment that is no http:// address
 */
export function proxyFor(url: string, chosen: string | undefined, environment: Environment): URL | null {
  if (chosen !== undefined) return chosen === 'none' ? null : new URL(chosen);
  const { protocol, hostname } = new URL(url);
  const variable = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const named = environment[variable] || environment[variable.toLowerCase()];
  if (!named || isExempt(hostname, environment.NO_PROXY || environment.no_proxy || '')) return null;
  const address = named.includes('://') ? named : `http://${named}`;
  if (URL.canParse(address) && new URL(address).protocol === 'http:') return new URL(address);
  throw new UserError(
    `${variable} names no http:// proxy, and experts are asked through no other kind. Set it so, name one for the expert (proxy: http://…), or write proxy: none to ask ${hostname} directly.`,
  );
}

/** How a server is reached, with what its files say. */
export async function reach(
  expert: string,
  { url, proxy, ...files }: { readonly url: string; readonly proxy?: string | undefined } & TrustFiles,
  { environment, log }: Pick<ExpertDeps, 'environment' | 'log'>,
): Promise<Trust> {
  const trust = await readTrust(expert, files);
  return { ...trust, proxy: throughProxy(expert, { url, proxy }, { environment, log }) };
}

/** The proxy between us and a server, which the log tells; null for none. @throws UserError as `proxyFor` does */
export function throughProxy(
  expert: string,
  { url, proxy }: { readonly url: string; readonly proxy?: string | undefined },
  { environment, log }: Pick<ExpertDeps, 'environment' | 'log'>,
): HttpProxy | null {
  const through = proxyFor(url, proxy, environment);
  if (through === null) return null;
  log(`Expert '${expert}' is asked through the proxy ${through.host}.`);
  return proxyAt(through);
}

function isExempt(host: string, list: string): boolean {
  if (host === 'localhost' || host === '[::1]' || host.startsWith('127.')) return true;
  return list
    .split(',')
    .map((one) => one.trim().replace(/^\*?\./, ''))
    .some((one) => one === '*' || (one !== '' && (host === one || host.endsWith(`.${one}`))));
}
