/** HTTP proxies between us and a server: a tunnel for https (RFC 9110, section 9.3.6), absolute targets for http. */
import { connect, type Socket } from 'node:net';

export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  /** The value of `proxy-authorization`; null for none. */
  readonly authorization: string | null;
}

/** @param url `http://[user:password@]host[:port]` */
export function proxyAt(url: URL): HttpProxy {
  const { hostname, port, username, password } = url;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 80),
    authorization: username === '' ? null : `Basic ${Buffer.from(pair).toString('base64')}`,
  };
}

const MOST_HEAD = 16 * 1024;
const END = '\r\n\r\n';

/**
 * Opens a tunnel through a proxy. The socket's events other than `data` are the caller's to hear.
 * @param opened called once the tunnel is there, with the socket paused and nothing of the server's read
 * @param refused called with the reason instead
 */
export function tunnel(
  proxy: HttpProxy,
  authority: string,
  opened: (socket: Socket) => void,
  refused: (error: Error) => void,
): Socket {
  const socket = connect({ host: proxy.host, port: proxy.port });
  const credentials = proxy.authorization === null ? '' : `proxy-authorization: ${proxy.authorization}\r\n`;
  let head = '';
  const read = (bytes: Buffer): void => {
    head += bytes.toString('latin1');
    const end = head.indexOf(END);
    if (end < 0 && head.length <= MOST_HEAD) return;
    socket.off('data', read);
    const [line = ''] = head.split('\r\n', 1);
    // A server speaks only after its client where TLS is, so nothing may follow.
    if (/^HTTP\/1\.\d 2\d\d\b/.test(line) && end === head.length - END.length) {
      socket.pause();
      opened(socket);
    } else refused(new Error(`the proxy ${proxy.host}:${proxy.port} answered '${line.slice(0, 100)}'`));
  };
  socket.on('data', read);
  socket.once('connect', () =>
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentials}\r\n`),
  );
  return socket;
}
