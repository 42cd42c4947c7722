/** OpenAI's embeddings: texts, or lists of tokens, to vectors of floats or of base64. */
import type { Dialect, Json } from '../dialect.ts';
import { invalid } from '../json.ts';
import { WHOLE, WholeAsk, wholeFacts, wholeScanner } from '../whole.ts';

export const openAiEmbeddings: Dialect<'openai-embeddings'> = {
  ...WHOLE,
  id: 'openai-embeddings',
  paths: ['/v1/embeddings'],
  idPrefix: 'embd',
  // Vectors of different models cannot be compared.
  oneExpert: true,
  claims: (json) =>
    json.input !== undefined && (json.encoding_format !== undefined || json.dimensions !== undefined),
  facts: (json) => wholeFacts(json, firstText(json)),
  ask: (facts, body) => new WholeAsk(openAiEmbeddings, facts, body),
  scanner: () => wholeScanner('data'),
};

/** Empty where the input is tokens. */
function firstText({ input }: Json): string {
  if (input === undefined || input === null) throw invalid('input', 'is missing: a text, or a list of texts');
  if (typeof input === 'string') return input;
  if (!Array.isArray(input)) throw invalid('input', 'must be a text, a list of texts, or lists of tokens');
  if (input.length === 0) throw invalid('input', 'is empty; send at least one text');
  return typeof input[0] === 'string' ? input[0] : '';
}
