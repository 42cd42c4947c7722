/** What operators do to a gateway that runs: take an expert or a replica out of service and back, reload the config. */
import { describeError, RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import { readBody } from './body.ts';
import type { Exchange, RouteContext } from './handler.ts';
import type { By } from './operator.ts';
import { decoded } from './spellings.ts';
import { sendJson } from './wire.ts';

/** The name of a replica, with room. */
const BODY_MB = 0.01;
/** Those of replicas that discovery no longer finds count until their expert is resumed. */
const MOST_DRAINED = 1_000;

/** The expert that `/v1/experts/{id}/<verb>` names. */
export function expertOf(url: string, verb: string): string {
  const path = url.split('?', 1)[0]!;
  return decoded(path.slice('/v1/experts/'.length, -`/${verb}`.length));
}

/** @throws RouterError `not_found`, `invalid_json`, `invalid_request`, and those of reading a body */
export async function operateExpert(
  verb: 'drain' | 'resume',
  { gateway, operations }: RouteContext,
  exchange: Exchange,
  expert: string,
): Promise<void> {
  const { bytes } = await readBody(exchange, BODY_MB);
  const group = gateway.fleet.groups.get(expert);
  if (!group)
    throw new RouterError(
      'not_found',
      `There is no expert '${excerpt(expert)}'. Here are: ${[...gateway.fleet.groups.keys()].join(', ')}.`,
    );
  const replica = replicaNamed(bytes, group);
  const drained = verb === 'drain';
  if (!drained && replica !== null && operations.covers(expert))
    throw new RouterError('invalid_request', `All of '${expert}' is drained: resume the expert.`);
  if (drained && operations.drained >= MOST_DRAINED)
    throw new RouterError('invalid_request', `${MOST_DRAINED} replicas are drained already; resume some.`);
  await operations.drain({ expert, replica, drained }, byOf(exchange));
  sendJson(exchange.response, 200, {
    object: 'expert',
    id: expert,
    drained: group.drained,
    in_flight: group.inFlight,
    replicas: group.replicas.map(({ name, drained: is, inFlight }) => ({
      name,
      drained: is,
      in_flight: inFlight,
    })),
  });
}

/** @throws RouterError `not_reloaded` with the reason, and then nothing has changed */
export async function reload({ operations }: RouteContext, exchange: Exchange): Promise<void> {
  await readBody(exchange, BODY_MB);
  try {
    const { experts, routerModel } = await operations.reload(byOf(exchange));
    sendJson(exchange.response, 200, { object: 'reload', experts, router_model: routerModel });
  } catch (error) {
    throw new RouterError('not_reloaded', `Still serving as before: ${describeError(error)}`, {
      cause: error,
    });
  }
}

export async function retrain({ operations }: RouteContext, exchange: Exchange): Promise<void> {
  await readBody(exchange, BODY_MB);
  await operations.retrain(byOf(exchange));
  sendJson(exchange.response, 202, { object: 'retraining', ...(await operations.retraining()) });
}

export async function retraining({ operations }: RouteContext, exchange: Exchange): Promise<void> {
  sendJson(exchange.response, 200, { object: 'retraining', ...(await operations.retraining()) });
}

/** @throws RouterError `invalid_request` where there is no shadow model, `not_reloaded` with the reason */
export async function applyShadow({ operations }: RouteContext, exchange: Exchange): Promise<void> {
  await readBody(exchange, BODY_MB);
  const { experts, routerModel } = await operations.applyShadow(byOf(exchange));
  sendJson(exchange.response, 200, { object: 'reload', experts, router_model: routerModel });
}

function byOf({ caller, traceId }: Exchange): By {
  return { key: caller?.name ?? null, traceId };
}

/** Null for the whole expert. */
function replicaNamed(bytes: Uint8Array, { id, replicas }: ExpertGroup): string | null {
  const { replica = null, ...others } = fieldsOf(bytes);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new RouterError('invalid_request', `'${excerpt(unknown)}' is no field here; 'replica' is.`, {
      param: excerpt(unknown),
    });
  if (replica === null || replicas.some(({ name }) => name === replica)) return replica as string | null;
  throw new RouterError(
    'not_found',
    `'${id}' has no replica ${excerpt(JSON.stringify(replica))}. It has: ${replicas.map(({ name }) => name).join(', ') || 'none'}.`,
    { param: 'replica' },
  );
}

/** An empty body names nothing. */
function fieldsOf(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length === 0) return {};
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new RouterError('invalid_json', 'The body is not valid JSON.', { cause: error });
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw new RouterError('invalid_request', 'The body is an object such as {"replica": "http://gpu1:8000"}.');
}
