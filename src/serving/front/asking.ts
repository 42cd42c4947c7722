/** What a request asks beside its body: for whom, of which expert, how urgently, and where it may go. */
import { type Ask, AUTO } from '../dialects/ask.ts';
import type { Caller } from '../gateway/conversations.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Routed } from '../gateway/router.ts';
import type { HashedKey, Headed } from './auth.ts';
import { sessionKey } from './session-key.ts';

/** Whose a request is, and of which conversation. */
export function callerOf({ headers }: Headed, caller: HashedKey | null, { session }: Ask): Caller {
  const tenant = caller?.name ?? '';
  return { tenant, session: sessionKey(headers, tenant, session) };
}

/** The choice for a request, with what its headers and its key add to its body. @throws RouterError as `Gateway.route` does */
export function routeAsked(
  gateway: Gateway,
  ask: Ask,
  request: Headed,
  caller: HashedKey | null,
  by: Caller,
): Routed | Promise<Routed> {
  return gateway.route(
    ask,
    forcedExpert(request),
    priorityOf(request, caller),
    whyLocal(request, caller),
    by,
  );
}

/** The expert that a header demands. */
function forcedExpert(request: Headed): string | undefined {
  const value = request.headers['x-expert-router-expert'];
  return typeof value === 'string' && value !== '' && value !== AUTO ? value : undefined;
}

/** Why a request may go to local experts only; null where neither key nor header says so. In doubt it says so. */
function whyLocal(request: Headed, caller: HashedKey | null): string | null {
  if (caller?.local_only) return 'its API key';
  const value = request.headers['x-expert-router-local-only'];
  return value === undefined || value === 'false' ? null : 'its header x-expert-router-local-only';
}

/** What the key grants (0 without keys), or less where the header `x-expert-router-priority` asks for less. */
function priorityOf(request: Headed, caller: HashedKey | null): number {
  const granted = caller?.priority ?? 0;
  const asked = Number(request.headers['x-expert-router-priority'] ?? granted);
  return Number.isInteger(asked) ? Math.max(-10, Math.min(asked, granted)) : granted;
}
