/** The certificate to listen with, read from its files. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { describeError, UserError } from '../../core/errors.ts';
import type { Config } from '../config/schema.ts';
import type { Identity } from '../front/listener.ts';

/** Null where the config has no `tls`. @throws UserError for files that cannot be read or do not fit together */
export async function readIdentity({ tls }: Pick<Config, 'tls'>): Promise<Identity | null> {
  if (tls === undefined) return null;
  const identity = {
    cert: await read('cert', tls.cert),
    key: await read('key', tls.key),
    ...(tls.client_ca === undefined ? {} : { clientCa: await read('client_ca', tls.client_ca) }),
  };
  try {
    createSecureContext({ cert: identity.cert, key: identity.key, ca: identity.clientCa });
  } catch (error) {
    throw new UserError(
      `tls: ${tls.cert} and ${tls.key} are not a certificate and its key in PEM (${describeError(error)}).`,
    );
  }
  return identity;
}

/** The files that make a gateway's identity; a change of theirs is one of the config. */
export function identityFiles({ tls }: Pick<Config, 'tls'>): readonly string[] {
  return tls === undefined ? [] : Object.values(tls).filter((path) => path !== undefined);
}

async function read(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(`tls.${option}: ${path} cannot be read: ${describeError(error)}`);
  }
}
