/**
 * OpenAI's completions: one prompt, or several if the expert takes them; as text, or as token ids, which say nothing to the
 * router.
 */
import { routableTurns } from '../../../deciding/text/routable.ts';
import type { Dialect, Json, TextDialect } from '../dialect.ts';
import { invalid } from '../json.ts';
import { sampledTurns } from '../turns.ts';
import { OpenAiAsk } from './ask.ts';
import type { CompletionBody } from './bodies.ts';
import { COMMON, commonFacts, keepLimits } from './common.ts';

export const openAiCompletions: TextDialect<'openai-completions'> = {
  ...COMMON,
  id: 'openai-completions',
  paths: ['/v1/completions'],
  idPrefix: 'cmpl',
  claims: (json) => json.prompt !== undefined,
  facts: (json) => {
    const common = commonFacts(json);
    const body = completionBody(json);
    return {
      ...common,
      turns: sampledTurns(routableTurns('completions', body)),
      affinityKey: null,
      toolLoop: 'none',
    };
  },
  keep: (json) => ({ ...keepLimits(json), prompt: isTokens(json.prompt) ? [0] : '' }),
  ask: (facts, body) => {
    const { prompt } = body.json;
    const isText = typeof prompt === 'string' || isTexts(prompt);
    return new OpenAiAsk(isText ? openAiCompletions : untranslated, 'completions', facts, body);
  },
};

/** What is no text means something to one model only: it goes to an expert that takes it as it is, or to none. */
const untranslated: Dialect<'openai-completions'> = { ...openAiCompletions, writer: null };

function completionBody(json: Json): CompletionBody {
  const { prompt, prompt_embeds: embedded } = json;
  if (typeof prompt === 'string' || isTexts(prompt) || isTokens(prompt))
    return json as unknown as CompletionBody;
  const missing = prompt === undefined || prompt === null;
  // Some engines take vectors in place of a text.
  if (missing && typeof embedded === 'string' && embedded !== '') return { ...json, prompt: '' };
  throw invalid(
    'prompt',
    missing ? 'is missing: a text to complete' : 'must be a text, a list of texts, or lists of token ids',
  );
}

function isTexts(prompt: unknown): boolean {
  return Array.isArray(prompt) && prompt.length > 0 && prompt.every((one) => typeof one === 'string');
}

/** Of one prompt, or of several. */
function isTokens(prompt: unknown): boolean {
  if (!Array.isArray(prompt) || prompt.length === 0) return false;
  return (
    prompt.every(isToken) || prompt.every((one) => Array.isArray(one) && one.length > 0 && one.every(isToken))
  );
}

function isToken(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}
