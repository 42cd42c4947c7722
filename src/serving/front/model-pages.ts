/** What clients may name as a model, in OpenAI's and Anthropic's shapes. */
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { claudeName } from '../gateway/names.ts';
import type { Headed } from './auth.ts';
import type { Exchange, RouteContext } from './handler.ts';
import { decoded } from './spellings.ts';
import { sendJson } from './wire.ts';

/** Whether a client speaks Anthropic's API, also where its address does not tell. */
export function isAnthropics({ headers }: Headed): boolean {
  return headers['anthropic-version'] !== undefined;
}

export async function listModels(context: RouteContext, { request, response }: Exchange): Promise<void> {
  sendJson(response, 200, modelList(context, request));
}

/** What clients may name as a model, in the shape of the API that they speak. */
export function modelList({ gateway, startedAt }: RouteContext, request: Headed): Record<string, unknown> {
  const { listed } = gateway.router.names;
  if (isAnthropics(request)) {
    const data = listed.map((id) => anthropicModel(gateway, claudeName(id), startedAt));
    return { data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id };
  }
  return { object: 'list', data: listed.map((id) => modelBody(id, startedAt)) };
}

export async function showModel(
  { gateway, startedAt }: RouteContext,
  { request, response }: Exchange,
): Promise<void> {
  const id = decoded(request.url!.split('?', 1)[0]!.slice('/v1/models/'.length));
  const { names } = gateway.router;
  if (names.meaning(id) === null)
    throw new RouterError(
      'model_not_found',
      `There is no model '${excerpt(id)}'. Known: ${names.listed.join(', ')}.`,
      { param: 'model' },
    );
  const anthropic = isAnthropics(request);
  sendJson(response, 200, anthropic ? anthropicModel(gateway, id, startedAt) : modelBody(id, startedAt));
}

/** As Anthropic's API lists it. */
function anthropicModel({ router, fleet }: Gateway, id: string, created: number) {
  const meaning = router.names.meaning(id);
  const expert = meaning?.kind === 'expert' ? fleet.groups.get(meaning.expert) : undefined;
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(created * 1000).toISOString(),
    lifecycle: 'active',
    max_input_tokens: expert?.offers.context ?? null,
    ...{ max_tokens: null, capabilities: null, line: null, deprecated_at: null, retires_at: null },
  };
}

function modelBody(id: string, created: number): Record<string, unknown> {
  return { id, object: 'model', created, owned_by: 'expert-router' };
}
