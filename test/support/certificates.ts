/** Certificates made for a test by the openssl command: an authority, and what it signs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  /** Files. */
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** The file with its certificate. */
  readonly ca: string;
  readonly folder: string;
  /** A certificate for 127.0.0.1 and localhost, in files of this name. */
  issue(name: string): Pair;
  remove(): void;
}

/** Null where there is no openssl. */
export function authority(): Authority | null {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  try {
    openssl(...request, '-subj', '/CN=authority', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  return {
    ca: at('ca.pem'),
    folder,
    issue: (name) => {
      const pair = { cert: at(`${name}.pem`), key: at(`${name}.key`) };
      const names = [
        '-addext',
        'subjectAltName=IP:127.0.0.1,DNS:localhost',
        '-addext',
        'basicConstraints=CA:FALSE',
      ];
      const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key')];
      openssl(...request, ...by, ...names, '-subj', `/CN=${name}`, '-keyout', pair.key, '-out', pair.cert);
      return pair;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

export const text = (file: string): string => readFileSync(file, 'utf8');
