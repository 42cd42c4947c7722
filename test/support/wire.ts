/** A connection between two parties that fails as networks do: cut at once, or gone without a word. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Wire {
  /** `127.0.0.1:port`, which leads to the target. */
  readonly address: string;
  /** Connections that are open pass nothing more, and nobody is told; new ones do. */
  swallow(): void;
  /** Nobody can connect, and open connections break. */
  cut(): void;
  /** Where new connections lead from now on. @param target `host:port` */
  leadTo(target: string): void;
}

/** @param target `host:port` */
export async function wireTo(target: string): Promise<Wire> {
  const open = new Set<Socket>();
  let port = portOf(target);
  const server = createServer((socket) => {
    const onward = connect(port, '127.0.0.1');
    for (const one of [socket, onward]) {
      open.add(one);
      one.on('error', () => {}).on('close', () => void open.delete(one));
    }
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow: () => {
      for (const socket of open) {
        socket.unpipe();
        socket.removeAllListeners('end').pause();
      }
    },
    cut: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
    leadTo: (next) => {
      port = portOf(next);
    },
  };
}

const portOf = (target: string): number => Number(target.split(':').at(-1));
