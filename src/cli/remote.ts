/** Asks a running router, as the verbs that watch one do. */
import { describeError, UserError } from '../core/errors.ts';

export interface Remote {
  readonly url: string;
  readonly key?: string | undefined;
}

/**
 * @param path below the router's address @throws UserError with what the router says, or that there is none
 */
export async function askRouter(
  { url, key = process.env.EXPERT_ROUTER_KEY }: Remote,
  path: string,
): Promise<Response> {
  const base = url.replace(/(?<!\/)\/+$/, '').replace(/\/v1$/, '');
  let response: Response;
  try {
    response = await fetch(`${base}${path}`, { headers: key ? { authorization: `Bearer ${key}` } : {} });
  } catch (error) {
    throw new UserError(
      `Cannot reach a router at ${base} (${describeError(error)}). Start one with: expert-router serve`,
    );
  }
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new UserError(
    body?.error?.message ?? `${base}${path} answered ${response.status}, so it is not an Expert Router.`,
  );
}
