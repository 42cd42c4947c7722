/** What a `weights:` setting means: the built-in model, a file on this machine, an address, or a file on the hub. Pure. */
import { createHash } from 'node:crypto';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { DEFAULT_WEIGHTS } from './catalog.ts';

export type WeightsReference =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly file: string }
  | { readonly kind: 'hub'; readonly repository: string; readonly file: string };

/** The word that stands for the built-in model in a config. */
export const DEFAULT_REFERENCE = 'smollm2-135m-instruct';

export function parseWeights(text: string, home: string): WeightsReference {
  if (text === DEFAULT_REFERENCE) return { kind: 'default' };
  if (/^https?:\/\//i.test(text)) return urlReference(text);
  if (text.startsWith('hf:')) return hubReference(text);
  if (!text.toLowerCase().endsWith('.gguf')) {
    throw new UserError(
      `weights: ${JSON.stringify(text)} is none of: "${DEFAULT_REFERENCE}", a path to a .gguf file, ` +
        'an https://….gguf address, hf:owner/repo/file.gguf.',
    );
  }
  const path = text.startsWith('~/') ? join(home, text.slice(2)) : text;
  return { kind: 'file', path: isAbsolute(path) ? path : resolve(path) };
}

/** Where below the cache folder the file of a reference belongs; null for a file that is already on this machine. */
export function cachedPath(cacheFolder: string, reference: WeightsReference): string | null {
  const root = join(cacheFolder, 'weights');
  switch (reference.kind) {
    case 'file':
      return null;
    case 'default':
      return join(root, DEFAULT_REFERENCE, DEFAULT_WEIGHTS.file);
    case 'hub':
      return join(root, 'hub', ...reference.repository.split('/'), ...reference.file.split('/'));
    case 'url': {
      // Two addresses may end in the same file name; the address itself may hold a key, so only its hash is kept.
      const mark = createHash('sha256').update(reference.url).digest('hex').slice(0, 12);
      return join(root, 'url', mark, reference.file);
    }
  }
}

function urlReference(text: string): WeightsReference {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const file = url ? basename(decodeURIComponent(url.pathname)) : '';
  if (!url || !file.toLowerCase().endsWith('.gguf')) {
    throw new UserError(`weights: the address ${redact(text)} does not name a .gguf file.`);
  }
  return { kind: 'url', url: text, file };
}

function hubReference(text: string): WeightsReference {
  const [owner, repo, ...rest] = text.slice('hf:'.length).split('/');
  const file = rest.join('/');
  const odd = [owner, repo, ...rest].some((part) => !part || part === '.' || part === '..');
  if (odd || !file.toLowerCase().endsWith('.gguf')) {
    throw new UserError(
      `weights: ${JSON.stringify(text)} should read hf:owner/repo/file.gguf, for example ` +
        'hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf.',
    );
  }
  return { kind: 'hub', repository: `${owner}/${repo}`, file };
}

/** An address fit for messages: without user, password and query. */
export function redact(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  return `${url.origin}${url.pathname}`;
}
