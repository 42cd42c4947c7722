/** OpenAI's completions: one prompt, or several if the expert takes them. */
import type { CompletionBody } from '../../../core/openai.ts';
import { routableTurns } from '../../../deciding/text/routable.ts';
import type { Dialect, Json } from '../dialect.ts';
import { invalid } from '../json.ts';
import { sampledTurns } from '../turns.ts';
import { OpenAiAsk } from './ask.ts';
import { COMMON, commonFacts, keepLimits } from './common.ts';

export const openAiCompletions: Dialect<'openai-completions'> = {
  ...COMMON,
  id: 'openai-completions',
  path: '/v1/completions',
  idPrefix: 'cmpl',
  facts: (json) => {
    const common = commonFacts(json);
    const body = completionBody(json);
    return { ...common, turns: sampledTurns(routableTurns('completions', body)), affinityKey: null };
  },
  keep: (json) => ({ ...keepLimits(json), prompt: '' }),
  ask: (facts, body) => new OpenAiAsk(openAiCompletions, 'completions', facts, body),
};

function completionBody(json: Json): CompletionBody {
  const { prompt } = json;
  const isText = typeof prompt === 'string';
  const isTexts =
    Array.isArray(prompt) && prompt.length > 0 && prompt.every((one) => typeof one === 'string');
  if (isText || isTexts) return json as unknown as CompletionBody;
  const missing = prompt === undefined || prompt === null;
  throw invalid('prompt', missing ? 'is missing: a text to complete' : 'must be a text, or a list of texts');
}
