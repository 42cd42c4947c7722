/** What of a config must not reach a client: where experts are, and the credentials they are asked with. Pure. */

import { type ExpertConfig, kindOptions } from '../config/expert-fields.ts';
import type { Config } from '../config/schema.ts';

/** Options whose text is a credential, whichever kind has them. */
const CREDENTIAL = /(?:key|token|secret|password|restricted_api|authorization)$/;
/** Shorter texts are no secrets, and removing them would tear apart words. */
const SHORTEST = 4;
/** Names that tell nobody anything. */
const COMMON: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export function secretsOf({ experts }: Pick<Config, 'experts'>): readonly string[] {
  const ids = new Set(experts.map(({ id }) => id));
  return experts
    .flatMap((expert) => secretsIn(expert))
    .filter((secret) => secret.length >= SHORTEST && !ids.has(secret) && !COMMON.has(secret));
}

function secretsIn(expert: ExpertConfig): readonly string[] {
  const secrets: string[] = [];
  const visit = (value: unknown, isCredential: boolean): void => {
    if (typeof value === 'string') secrets.push(...(isCredential ? [value] : partsOfAddress(value)));
    else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value)) visit(inner, isCredential || CREDENTIAL.test(name));
  };
  visit(kindOptions(expert), false);
  return secrets;
}

/** The address as written and as a library would write it, and every part that tells where it is or who asks. */
function partsOfAddress(text: string): readonly string[] {
  if (!text.includes('://') || !URL.canParse(text)) return [];
  const { href, origin, protocol, host, hostname, username, password } = new URL(text);
  if (host === '') return [];
  const decoded = [username, password].flatMap((part) => [part, decodeURIComponent(part)]);
  const plain = `${protocol}//${host}`;
  return [text, text.replace(/(?<!\/)\/+$/, ''), href, origin, plain, host, hostname, ...decoded];
}
