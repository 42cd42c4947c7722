/** Rerank as Cohere began it and Jina, vLLM, SGLang and llama.cpp serve it: documents scored by a query. */
import type { Dialect, Json } from '../dialect.ts';
import { invalid, isObject } from '../json.ts';
import { WHOLE, WholeAsk, wholeFacts, wholeScanner } from '../whole.ts';

export const rerank: Dialect<'rerank'> = {
  ...WHOLE,
  id: 'rerank',
  paths: ['/v1/rerank', '/rerank', '/v2/rerank'],
  idPrefix: 'rerank',
  // Scores of different models cannot be compared.
  oneExpert: true,
  claims: (json) => json.query !== undefined && Array.isArray(json.documents),
  facts: (json) => wholeFacts(json, queryOf(json)),
  ask: (facts, body) => new WholeAsk(rerank, facts, body),
  scanner: () => wholeScanner('results'),
};

function queryOf({ query, documents }: Json): string {
  if (query === undefined || query === null) throw invalid('query', 'is missing: the text to rank by');
  if (!Array.isArray(documents)) throw invalid('documents', 'must be a list of texts');
  if (documents.length === 0) throw invalid('documents', 'is empty; send at least one');
  if (typeof query === 'string') return query;
  return isObject(query) && typeof query.text === 'string' ? query.text : '';
}
