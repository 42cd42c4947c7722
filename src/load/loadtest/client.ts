/** The client of a load test: the data plane's own, without deadlines, since every request has one of its own. */
import { HttpClient } from '../../http/client.ts';

/** Connections are kept for as long as the server keeps them. */
export const NO_DEADLINES = { connect: 0, head: 0, idle: 0, unused: 0 } as const;

export function loadClient(origin: URL): HttpClient {
  return new HttpClient(origin, NO_DEADLINES);
}
