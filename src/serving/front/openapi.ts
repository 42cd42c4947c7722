/** The OpenAPI description of what is served, from the table of routes. */
import { version } from '../../core/shipped.ts';

export interface Described {
  readonly method: string;
  readonly path: string;
  /** What a key must be allowed to; null where none is needed. */
  readonly role: string | null;
  /** What it is for; null where that is for people alone. */
  readonly about: string | null;
}

const JSON_BODY = { content: { 'application/json': { schema: { type: 'object' } } } };
const ERROR = {
  description: 'An error, which names its cause and, where there is one, the cure',
  ...JSON_BODY,
};

/** OpenAPI 3.1. */
export function openApi(routes: readonly Described[]): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    if (route.about === null) continue;
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Expert Router',
      version: version(),
      description:
        'One address for many language models: every prompt goes to the one that serves it best. Completions, embeddings, ' +
        'responses and models are also found without /v1 and below /openai, and below /openai/deployments/{name} with sound and pictures.',
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        'x-api-key': { type: 'apiKey', in: 'header', name: 'x-api-key' },
        'api-key': { type: 'apiKey', in: 'header', name: 'api-key' },
      },
    },
  };
}

function operation({ method, path, role, about }: Described): Readonly<Record<string, unknown>> {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    summary: about,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(method === 'POST' ? { requestBody: { required: true, ...JSON_BODY } } : {}),
    // None is needed where the config has no keys.
    security: role === null ? [] : [{}, { bearer: [] }, { 'x-api-key': [] }, { 'api-key': [] }],
    responses: { 200: { description: 'The answer' }, default: ERROR },
  };
}
