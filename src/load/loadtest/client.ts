/** The load test's client: the data plane's, without deadlines, because the load test times out requests itself. */
import { HttpClient } from '../../http/client.ts';

/** Connections are kept as long as the server keeps them. */
export const NO_DEADLINES = { connect: 0, head: 0, idle: 0, unused: 0 } as const;

export function loadClient(origin: URL): HttpClient {
  return new HttpClient(origin, NO_DEADLINES);
}
