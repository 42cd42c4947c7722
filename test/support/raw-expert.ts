/**
 * A server that stands in for an expert below HTTP: a script for each request, chosen by a word in its body, says what
 * to write and when to close, so that framing can be wrong in every way.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Script {
  readonly pieces: readonly Buffer[];
  readonly pauseMs: number;
  /** What happens to the connection after the last piece. */
  readonly ending: 'keep' | 'close' | 'reset';
}

export interface RawExpert {
  readonly url: string;
  close(): Promise<void>;
}

/** @param scriptFor what to do with a request of this head and body */
export async function rawExpert(scriptFor: (head: string, body: string) => Script): Promise<RawExpert> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {}); // the gateway may leave at any time
    let seen = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      seen = Buffer.concat([seen, bytes]);
      const head = seen.indexOf('\r\n\r\n');
      if (head < 0) return;
      const end =
        head + 4 + Number(/content-length: (\d+)/i.exec(seen.toString('latin1', 0, head))?.[1] ?? 0);
      if (seen.length < end) return;
      const [top, body] = [seen.toString('latin1', 0, head), seen.toString('utf8', head + 4, end)];
      seen = seen.subarray(end);
      void play(socket, scriptFor(top, body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function play(socket: Socket, { pieces, pauseMs, ending }: Script): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    await sleep(pauseMs);
  }
  if (ending === 'reset') socket.resetAndDestroy();
  else if (ending === 'close') socket.end();
}
