/** What the head of an answer says of the replica that was asked. Pure. */
import type { Dialect } from '../dialects/dialect.ts';
import type { LeaseOutcome } from '../fleet/lease.ts';
import { leaseOutcome, ownFailure } from '../gateway/blame.ts';
import type { Head } from './head.ts';
import type { Struct } from './protocol.ts';

/** Attribute of an answer: how it came about, in Envoy's words. */
export const DETAILS_ATTRIBUTE = 'response.code_details';
const FROM_SERVER = 'via_upstream';

interface Asked {
  readonly expert: string;
  readonly dialect: Pick<Dialect, 'refusal'>;
  readonly tenant: string;
  /** Milliseconds since 1970. */
  readonly epoch: number;
}

export function outcomeOf(
  head: Head,
  attributes: Readonly<Record<string, Struct>> | undefined,
  { expert, dialect, tenant, epoch }: Asked,
): LeaseOutcome {
  const status = head.status ?? 500;
  const details = detailsIn(attributes);
  // Envoy's own answer: there is none of the server's.
  if (details !== null && details !== FROM_SERVER) {
    const unreachable = /connection_failure|no_healthy_upstream/.test(details);
    return unreachable ? { kind: 'failed', unreachable } : { kind: 'failed' };
  }
  if (status < 400) return { kind: 'ok', outputTokens: 0 };
  const headers = Object.fromEntries(
    Object.entries(head.headers).map(([name, value]) => [name, String(value)] as const),
  );
  const told = dialect.refusal(status, headers, Buffer.alloc(0));
  return leaseOutcome(ownFailure(expert, told), tenant, epoch);
}

function detailsIn(attributes: Readonly<Record<string, Struct>> | undefined): string | null {
  for (const { fields } of Object.values(attributes ?? {})) {
    const value = fields?.[DETAILS_ATTRIBUTE]?.stringValue;
    if (value !== undefined) return value;
  }
  return null;
}

/** Of a request that the expert, or Envoy in its place, has answered. */
export function resultOf(status: number): string {
  return status < 400 ? 'ok' : 'expert_error';
}
