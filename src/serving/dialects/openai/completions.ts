/** OpenAI's completions: one prompt, or several if the expert takes them. */
import { routableTurns } from '../../../deciding/text/routable.ts';
import type { Json, TextDialect } from '../dialect.ts';
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
