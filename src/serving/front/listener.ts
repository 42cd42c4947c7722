/** The server that takes connections: plain HTTP, or HTTPS with a certificate that may be replaced while it serves. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { LOOK_EVERY_MS } from './connections.ts';

/** Who the gateway is, in PEM. */
export interface Identity {
  /** The certificate with its chain. */
  readonly cert: string;
  readonly key: string;
  /** The authority that must have signed every client's certificate; absent where clients need none. */
  readonly clientCa?: string;
}

export const TIMEOUTS = {
  /** Longer than the 60 s idle limit of common load balancers, so that they never reuse a socket we just closed. */
  keepAliveTimeout: 75_000,
  /** For the head of a request, and for all of it. */
  headersTimeout: 20_000,
  requestTimeout: 120_000,
  connectionsCheckingInterval: LOOK_EVERY_MS,
};
/** A connection that has not said who it is by then is ended. */
const HANDSHAKE_MS = 10_000;

/** @param identity asked at every connection; whether there is one at all must not change */
export function createListener(identity: () => Identity | null, handle: RequestListener): Server {
  let known = identity();
  if (known === null) return createServer(TIMEOUTS, handle);
  const server = createTlsServer(
    {
      ...secureContext(known),
      ...TIMEOUTS,
      requestCert: known.clientCa !== undefined,
      rejectUnauthorized: known.clientCa !== undefined,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
    },
    handle,
  );
  server.prependListener('connection', () => {
    const now = identity();
    if (now === null || now === known) return;
    known = now;
    server.setSecureContext(secureContext(now));
  });
  // Nobody can read an answer there.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function secureContext({ cert, key, clientCa }: Identity) {
  return { cert, key, ca: clientCa, minVersion: 'TLSv1.2' as const };
}
