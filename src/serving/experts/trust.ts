/** The options and files that say whom an expert trusts behind https, and who it is itself. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { describeError, UserError } from '../../core/errors.ts';
import type { Trust } from '../../http/client.ts';

const file = z.string().min(1).optional();

export const trustOptions = {
  ca: file
    .describe(
      "File with the certificates of the authority that signed the server's, for https; those the system knows when absent",
    )
    .meta({ examples: ['./ca.pem'] }),
  client_cert: file
    .describe('File with the certificate shown to a server that asks for one; needs client_key')
    .meta({ examples: ['./client.pem'] }),
  client_key: file.describe('File with its private key').meta({ examples: ['./client.key'] }),
};

/** Those that are paths, as `ExpertKind.paths` lists them. */
export const TRUST_PATHS = Object.keys(trustOptions);

export interface TrustFiles {
  readonly ca?: string | undefined;
  readonly client_cert?: string | undefined;
  readonly client_key?: string | undefined;
}

/** @throws UserError for a file that cannot be read, is no certificate, or has no counterpart */
export async function readTrust(expert: string, files: TrustFiles): Promise<Trust> {
  if ((files.client_cert === undefined) !== (files.client_key === undefined))
    throw new UserError(`Expert '${expert}': client_cert and client_key go together; name both files.`);
  const trust = {
    ca: await read(expert, 'ca', files.ca),
    cert: await read(expert, 'client_cert', files.client_cert),
    key: await read(expert, 'client_key', files.client_key),
  };
  try {
    createSecureContext(trust);
  } catch (error) {
    throw new UserError(
      `Expert '${expert}': ca, client_cert and client_key do not hold certificates and their key in PEM (${describeError(error)}).`,
    );
  }
  return trust;
}

async function read(expert: string, option: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(`Expert '${expert}': ${option} ${path} cannot be read: ${describeError(error)}`);
  }
}
