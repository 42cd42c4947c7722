/** The name under which a request is logged, here and by whoever shares its trace (W3C Trace Context). */
import { randomFillSync } from 'node:crypto';

const BYTES = 16;
/** Fresh ids come from random bytes fetched for many at once. */
const POOL = Buffer.alloc(256 * BYTES);
let used = POOL.length;

/** The trace id of the caller's `traceparent` where it sends one, else a fresh one: 32 hex digits. */
export function traceIdOf(traceparent: unknown): string {
  if (traceparent === undefined) return fresh();
  return /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-/.exec(String(traceparent))?.[1] ?? fresh();
}

function fresh(): string {
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  used += BYTES;
  return POOL.toString('hex', used - BYTES, used);
}
