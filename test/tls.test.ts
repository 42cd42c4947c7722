/** TLS on both sides: towards clients, with certificates that come and go, and towards experts that ask for one. */
import { copyFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { bind } from '../src/core/bind.ts';
import { createGateway } from '../src/index.ts';
import { type Authority, authority, text } from './support/certificates.ts';
import { command } from './support/command.ts';
import { eventually, gateway } from './support/gateway.ts';

const made = authority();
if (made === null) console.warn('skipped: there is no openssl on this machine to make certificates with');

const WHOLE = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
});

interface Seen {
  readonly status: number;
  readonly subject: string;
  readonly body: string;
}

/** One request on a connection of its own. */
function get(url: string, options: RequestOptions): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ...options }, (response) => {
      const subject = (response.socket as TLSSocket).getPeerCertificate().subject?.CN as string;
      let body = '';
      response.on('data', (piece) => {
        body += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode!, subject, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe.skipIf(made === null)('tls', () => {
  const { ca, folder, issue, remove } = made ?? ({} as Authority);
  const at = (name: string): string => join(folder, name);
  const trusted = made === null ? {} : { ca: text(ca) };
  afterAll(() => remove());

  function listening(name: string, more = ''): string {
    return `tls: { cert: ${at(`${name}.pem`)}, key: ${at(`${name}.key`)}${more} }
experts: [{ id: e, kind: emulated }]
`;
  }

  it('serves https, and takes up a renewed certificate while it serves', async () => {
    issue('serving');
    const renewed = issue('renewed');
    const file = at('router.yaml');
    writeFileSync(file, listening('serving').replaceAll(`${folder}/`, './'));
    const running = await createGateway(file, { probes: false, watchFiles: true });
    try {
      const url = await running.listen({ host: '127.0.0.1', port: 0 });
      expect(url).toMatch(/^https:/);
      expect(await get(`${url}/health`, trusted)).toMatchObject({ status: 200, subject: 'serving' });
      await expect(get(`${url}/health`, {})).rejects.toThrow();
      writeFileSync(at('serving.key'), 'half a k'); // a pair that does not fit together changes nothing
      await expect(running.reload()).rejects.toThrow(/certificate and its key/);
      expect(await get(`${url}/health`, trusted)).toMatchObject({ subject: 'serving' });
      copyFileSync(renewed.key, at('serving.key'));
      copyFileSync(renewed.cert, at('serving.pem'));
      await eventually(
        'the new certificate is shown',
        async () => (await get(`${url}/health`, trusted)).subject === 'renewed',
      );
      writeFileSync(file, 'experts: [{ id: e, kind: emulated }]\n');
      await expect(running.reload()).rejects.toThrow(/tls.*restart/);
    } finally {
      await running.close({ graceMs: 0 });
    }
  });

  it('is spoken by several workers on one port', async () => {
    issue('many');
    const file = at('many.yaml');
    const experts = "experts: [{ id: e, kind: openai, url: 'http://127.0.0.1:1' }]\n";
    writeFileSync(file, listening('many').replace(/experts: .*\n/, experts));
    const served = command('serve', '--config', file, '--workers', '2', '--port', '0');
    try {
      const [, url] = await served.said(/ on (https:\S+) with 2 workers/);
      for (let i = 0; i < 4; i++)
        expect(await get(`${url}/health`, trusted)).toMatchObject({ status: 200, subject: 'many' });
    } finally {
      served.process.kill();
      await served.ended;
    }
  });

  it('lets in only clients with a certificate of the authority, where one is named', async () => {
    issue('strict');
    const client = issue('client');
    const running = await gateway(listening('strict', `, client_ca: ${ca}`));
    try {
      await expect(get(`${running.url}/health`, trusted)).rejects.toThrow();
      const shown = { ...trusted, cert: text(client.cert), key: text(client.key) };
      expect(await get(`${running.url}/health`, shown)).toMatchObject({ status: 200, subject: 'strict' });
    } finally {
      await running.close();
    }
  });

  it('ends a connection that speaks plain HTTP to it, and goes on serving', async () => {
    issue('plain');
    const running = await gateway(listening('plain'));
    try {
      const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await closed;
      expect(await get(`${running.url}/health`, trusted)).toMatchObject({ status: 200 });
    } finally {
      await running.close();
    }
  });

  it('reaches experts by an authority of the config, and shows them a certificate', async () => {
    const [server, client] = [issue('expert'), issue('router')];
    const seen: string[] = [];
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      seen.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string);
      const anthropic = request.url?.endsWith('/messages');
      response.writeHead(anthropic ? 418 : 200, { 'content-type': 'application/json' }).end(WHOLE);
    };
    const pair = { cert: text(server.cert), key: text(server.key) };
    const expert = createServer(
      { ...pair, ca: text(ca), requestCert: true, rejectUnauthorized: true },
      answer,
    );
    const url = await bind(expert, '127.0.0.1', 0);
    const own = `ca: ${ca}, client_cert: ${client.cert}, client_key: ${client.key}`;
    const running = await gateway(`experts:
  - { id: o, kind: openai, url: '${url}', ${own} }
  - { id: a, kind: anthropic, url: '${url}', ${own} }
  - { id: untrusting, kind: openai, url: '${url}' }
  - { id: nobody, kind: openai, url: '${url}', ca: ${ca} }
`);
    const ask = async (model: string): Promise<number> =>
      (await running.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] }))
        .status;
    try {
      expect([await ask('o'), await ask('a')]).toEqual([200, 418]);
      expect(seen).toEqual(['router', 'router']);
      expect([await ask('untrusting'), await ask('nobody')]).toEqual([502, 502]);
      expect(seen).toHaveLength(2);
    } finally {
      await running.close();
      expert.closeAllConnections();
      expert.close();
    }
  });

  it('refuses a certificate without its key, and one that is none', async () => {
    const { cert } = issue('alone');
    await expect(
      gateway(`experts: [{ id: o, kind: openai, url: 'https://x', client_cert: ${cert} }]`),
    ).rejects.toThrow(/client_cert and client_key go together/);
    await expect(
      gateway(`experts: [{ id: o, kind: openai, url: 'https://x', ca: /nowhere.pem }]`),
    ).rejects.toThrow(/ca \/nowhere\.pem cannot be read/);
  });
});
