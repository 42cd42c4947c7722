/** Kubernetes' own API server with an etcd, without nodes: what it is given, it judges, keeps and tells whoever watches. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/gateway.ts';
import { freePort } from './engine-process.ts';

export interface Cluster {
  /** As a pod finds it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Flags with which Helm asks it as administrator. */
  readonly forHelm: readonly string[];
  /** Certificate of its authority. */
  readonly authority: string;
  /** As administrator. @returns status and body */
  // biome-ignore lint/suspicious/noExplicitAny: objects are read as their tests need them
  ask(method: string, path: string, body?: object, type?: string): Promise<{ status: number; body: any }>;
  close(): Promise<void>;
}

const ADMIN = 'admin-token';

export async function cluster(folder: string): Promise<Cluster> {
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const program = (name: string): string => join(folder, 'bin', name);
  const etcdUrl = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const etcd = started(program('etcd'), [
    ...['--data-dir', join(state, 'etcd'), '--log-level', 'error', '--unsafe-no-fsync'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `default=${peerUrl}`],
  ]);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [signing, checking] = [join(state, 'sa.key'), join(state, 'sa.pub')];
  writeFileSync(signing, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  writeFileSync(checking, publicKey.export({ type: 'spki', format: 'pem' }));
  const tokens = join(state, 'tokens.csv');
  writeFileSync(tokens, `${ADMIN},admin,admin,system:masters\n`);
  const server = started(program('kube-apiserver'), [
    ...['--etcd-servers', etcdUrl, '--bind-address', '127.0.0.1', '--secure-port', `${port}`],
    ...['--cert-dir', join(state, 'certificates'), '--token-auth-file', tokens],
    ...['--service-account-issuer', 'https://kubernetes.default.svc'],
    ...['--service-account-signing-key-file', signing, '--service-account-key-file', checking],
    ...['--authorization-mode', 'RBAC', '--service-cluster-ip-range', '10.96.0.0/16'],
    // Pods are made by the test: nobody makes tokens for them.
    ...['--disable-admission-plugins', 'ServiceAccount'],
  ]);
  const ask: Cluster['ask'] = (method, path, body, type = 'application/json') =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': type };
      const at = { host: '127.0.0.1', port, path, method, headers, rejectUnauthorized: false };
      const asked = request(at, async (answer) => {
        let text = '';
        for await (const piece of answer.setEncoding('utf8')) text += piece;
        const json = text.startsWith('{') ? JSON.parse(text) : text;
        resolve({ status: answer.statusCode!, body: json });
      });
      asked.on('error', reject).end(body && JSON.stringify(body));
    });
  const close = async (): Promise<void> => {
    await ended(server.process);
    await ended(etcd.process);
    rmSync(state, { recursive: true, force: true });
  };
  try {
    await eventually('the API server is ready', async () => {
      if (server.process.exitCode !== null || etcd.process.exitCode !== null)
        throw new Error(`it ended: ${server.said().slice(-2000)} ${etcd.said().slice(-2000)}`);
      return ask('GET', '/readyz').then(
        ({ status }) => status === 200,
        () => false,
      );
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    environment: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: `${port}` },
    forHelm: [
      ...['--kube-apiserver', `https://127.0.0.1:${port}`, '--kube-token', ADMIN],
      '--kube-insecure-skip-tls-verify',
    ],
    authority: readFileSync(join(state, 'certificates', 'apiserver.crt'), 'utf8'),
    ask,
    close,
  };
}

function started(program: string, args: readonly string[]): { process: ChildProcess; said(): string } {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  return { process: child, said: () => said };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise<void>((resolve) => child.on('close', () => resolve()));
  child.kill('SIGKILL');
  await over;
}
