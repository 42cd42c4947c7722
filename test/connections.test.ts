/** Connections that are too many, and those of clients that neither read nor close. */
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';

const open: { destroy?(): void; close?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) {
    one.destroy?.();
    await one.close?.();
  }
});

const EXPERTS = "experts: [{ id: one, kind: openai, url: 'http://127.0.0.1:1' }]\n";

async function start(more: string): Promise<RunningGateway> {
  const router = await gateway(more + EXPERTS);
  open.push(router);
  return router;
}

/** A client that keeps its side open whatever the other does. */
function client(router: RunningGateway, send: string): { socket: Socket; got(): string } {
  const socket = connect({ port: Number(new URL(router.url).port), host: '127.0.0.1', allowHalfOpen: true });
  let got = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    got += bytes;
  });
  socket.write(send);
  open.push(socket);
  return { socket, got: () => got };
}

const HEALTH = 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n';

it.each(['max_connections: 2\n', 'max_connections_per_address: 2\n'])(
  'over %s there is a refusal',
  async (limit) => {
    const router = await start(limit);
    const within = [client(router, HEALTH), client(router, HEALTH)];
    for (const one of within) await eventually('it is answered', () => one.got().includes('"ok"'));
    const over = client(router, HEALTH);
    await eventually('it is refused', () => over.got().includes('too_many_connections'));
    expect(over.got()).toMatch(/^HTTP\/1\.1 503 .*retry-after: 1\r\n/is);
    within[0]!.socket.destroy();
    await eventually('another is taken', async () => {
      const next = client(router, HEALTH);
      await eventually('an answer', () => next.got().includes('}'));
      const taken = next.got().includes('"ok"');
      next.socket.destroy();
      return taken;
    });
  },
);

it('what is no request is answered, and its connection ends though the client does not close it', async () => {
  const router = await start('');
  const garbage = client(router, 'NOT HTTP\r\n\r\n');
  let closed = false;
  garbage.socket.on('error', () => {
    closed = true; // reset: the other side is gone
  });
  await eventually('it is told', () => garbage.got().includes('invalid_request'));
  await eventually('it is gone', () => {
    if (!garbage.socket.destroyed) garbage.socket.write('x');
    return closed;
  });
});
