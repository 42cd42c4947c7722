/** Reads a request that is passed on unread, and knows at which addresses there are such. */
import { RouterError } from '../../core/errors.ts';
import type { Ask } from '../dialects/ask.ts';
import { passedForm, passedJson } from '../dialects/passed.ts';
import { readBody, readForm } from './body.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';

/** Addresses by what they are for. Those without `/v1` lie beside an engine's `/v1`. */
export const PASSED_PATHS: Readonly<Record<string, string>> = {
  '/v1/audio/{id}': 'Speech, transcriptions and translations',
  '/v1/images/{id}': 'Pictures made and changed',
  '/v1/fim/{id}': 'Code filled in',
  '/infill': 'Code filled in, by llama.cpp',
  '/v1/moderations': 'Moderation',
  '/v1/responses/compact': 'A conversation made shorter, by OpenAI',
  '/v1/score': 'Scores of pairs of texts',
  '/score': 'Scores of pairs of texts, by vLLM',
  '/v1/classify': 'Classes of texts',
  '/classify': 'Classes of texts, by vLLM',
  '/pooling': 'Hidden states, by vLLM',
  '/tokenize': 'The tokens of a text',
  '/detokenize': 'The text of tokens',
};

/** @throws RouterError as `readBody` does, and `unsupported_media_type` for what is neither JSON nor a form */
export async function readPassed(
  exchange: { readonly request: ClientRequest; readonly response: ClientResponse },
  limitMb: number,
): Promise<Ask> {
  const { headers, url } = exchange.request;
  const contentType = headers['content-type'];
  if (contentType !== undefined && !/^(?:application\/json|multipart\/form-data)\b/i.test(contentType))
    throw new RouterError('unsupported_media_type', 'Send a JSON object or a form (multipart/form-data).');
  if (contentType !== undefined && /^multipart/i.test(contentType))
    return passedForm({ path: url!, contentType, bytes: await readForm(exchange, limitMb) });
  return passedJson({ path: url!, ...(await readBody(exchange, limitMb)) });
}
