/** How many routers a request has passed, so that routers which are each other's experts do not send it round for ever. */
import { RouterError } from '../../core/errors.ts';
import type { Headed } from './auth.ts';

export const HOPS_HEADER = 'x-expert-router-hops';
/** More than a sensible chain of routers has. */
const MOST_HOPS = 4;

/**
 * The header for whoever is asked next.
 * @throws RouterError `request_loop`
 */
export function nextHop({ headers }: Headed): string {
  const told = headers[HOPS_HEADER] ?? '0';
  // Whoever writes something else than a router would means to go round for longer.
  const passed = /^\d$/.test(String(told)) ? Number(told) : MOST_HOPS;
  if (passed < MOST_HOPS) return String(passed + 1);
  throw new RouterError(
    'request_loop',
    `This request has passed ${MOST_HOPS} routers already; some of them are each other's experts. Look at their experts' addresses.`,
  );
}
