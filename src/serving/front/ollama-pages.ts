/**
 * The pages by which Ollama's clients learn what there is. Of a model that lies elsewhere, sizes and files are unknown:
 * they are 0 or empty, as clients demand them.
 */
import { createHash } from 'node:crypto';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { invalid, parseBody } from '../dialects/json.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { ollamaName } from '../gateway/names.ts';

/** Of Ollama's API as it is spoken here: some clients refuse an older one. */
export const OLLAMA_VERSION = '0.12.6';

/** What Ollama says at `/` to whatever is no browser. */
export const GREETING = 'Ollama is running';

export function tags({ router, fleet }: Gateway, since: number): Record<string, unknown> {
  const models = router.names.listed.map((name) => ({
    ...modelBody(name, since),
    capabilities: capabilitiesOf(groupOf(router.names.meaning(name), fleet)),
  }));
  return { models };
}

/** The experts that answer now; none is unloaded for want of use. */
export function running({ fleet }: Gateway, since: number): Record<string, unknown> {
  const there = [...fleet.groups.values()].filter((group) => group.load().available);
  const models = there.map((group) => ({
    ...modelBody(group.id, since),
    expires_at: NEVER,
    size_vram: 0,
    ...(group.offers.context === null ? {} : { context_length: group.offers.context }),
  }));
  return { models };
}

/** @throws RouterError `invalid_body` or `model_not_found` */
export function shown({ router, fleet }: Gateway, body: Buffer, since: number): Record<string, unknown> {
  const json = parseBody(body);
  const name = json.model ?? json.name;
  if (typeof name !== 'string' || name === '') throw invalid('model', 'is missing: the name of a model');
  const meaning = router.names.meaning(name);
  if (meaning === null)
    throw new RouterError(
      'model_not_found',
      `There is no model '${excerpt(name)}'. Known: ${router.names.listed.join(', ')}.`,
      { param: 'model' },
    );
  const group = groupOf(meaning, fleet);
  const { details, modified_at } = modelBody(name, since);
  return {
    modelfile: '',
    parameters: '',
    template: '',
    details,
    model_info: {
      'general.architecture': ARCHITECTURE,
      'general.basename': name,
      ...(group?.offers.context ? { [`${ARCHITECTURE}.context_length`]: group.offers.context } : {}),
    },
    capabilities: capabilitiesOf(group),
    modified_at,
  };
}

const ARCHITECTURE = 'expert-router';
const NEVER = '9999-12-31T23:59:59Z';

/** Null for a choice among experts. */
function groupOf(
  meaning: ReturnType<Gateway['router']['names']['meaning']>,
  { groups }: Gateway['fleet'],
): ExpertGroup | null {
  return meaning?.kind === 'expert' ? (groups.get(meaning.expert) ?? null) : null;
}

/** @param group null for a choice among experts */
function capabilitiesOf(group: ExpertGroup | null): readonly string[] {
  if (group !== null && !group.offers.answersText) return ['embedding'];
  const vision = group?.offers.takes?.includes('image') ? ['vision'] : [];
  return ['completion', ...(group?.offers.lacks.includes('tools') ? [] : ['tools']), ...vision];
}

function modelBody(id: string, since: number) {
  const name = ollamaName(id);
  return {
    name,
    model: name,
    modified_at: new Date(since * 1000).toISOString(),
    size: 0,
    digest: createHash('sha256').update(name).digest('hex'),
    details: {
      parent_model: '',
      format: '',
      family: '',
      families: [],
      parameter_size: '',
      quantization_level: '',
    },
  };
}
