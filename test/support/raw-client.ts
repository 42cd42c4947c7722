/** A client that sends bytes and notes what comes back and how the connection ends: what a socket sees, unhelped. */
import { connect } from 'node:net';

export interface Seen {
  /** Every packet as it came. */
  readonly packets: readonly Buffer[];
  readonly text: string;
  /** How the connection stood when looked at. */
  readonly end: 'open' | 'closed' | 'reset';
}

export interface RawClient {
  send(bytes: string | Buffer): void;
  /** Waits until what came satisfies, the connection ends, or `ms` have passed. */
  see(until?: (text: string, packets: readonly Buffer[]) => boolean, ms?: number): Promise<Seen>;
  close(): void;
}

export function rawClient(port: number): RawClient {
  const packets: Buffer[] = [];
  let end: Seen['end'] = 'open';
  let woken = (): void => {};
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
  socket.on('data', (bytes) => {
    packets.push(bytes);
    woken();
  });
  socket.on('end', () => {
    end = 'closed';
    woken();
  });
  socket.on('error', () => {
    end = 'reset';
    woken();
  });
  const text = (): string => Buffer.concat(packets).toString();
  return {
    send: (bytes) => void socket.write(bytes),
    close: () => void socket.destroy(),
    see: async (until = () => false, ms = 5_000) => {
      const deadline = performance.now() + ms;
      while (end === 'open' && !until(text(), packets) && performance.now() < deadline) {
        await new Promise<void>((resolve) => {
          woken = resolve;
          setTimeout(resolve, Math.min(20, ms));
        });
      }
      return { packets, text: text(), end };
    },
  };
}

/** A chat request as it goes over the wire. */
export function chatRequest(body: object, headers: Record<string, string> = {}): string {
  const json = JSON.stringify({ messages: [{ role: 'user', content: 'hello there' }], ...body });
  const lines = Object.entries({ host: 'x', 'content-length': String(Buffer.byteLength(json)), ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n${json}`;
}
