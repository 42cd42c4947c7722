/**
 * Which HTTP headers cross the router, in both directions. Allow-lists, so that a client's key or cookie never
 * reaches an expert and an expert's internals never reach a client.
 */

/** Client → expert. Authorization is deliberately absent: each expert gets its own key from the config. */
const REQUEST = [
  'accept',
  'accept-language',
  'traceparent',
  'tracestate',
  'x-request-id',
  'anthropic-version',
  'anthropic-beta',
];

/** Expert → client. Length and encoding describe the bytes, which are relayed unchanged. */
const RESPONSE = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'cache-control',
  'retry-after',
  'x-request-id',
  'request-id',
  'openai-processing-ms',
  'openai-version',
]);

const RESPONSE_PREFIXED = /^(?:x-ratelimit-|anthropic-ratelimit-)/;

type RawHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @param headers by their names in lower case @param more names that the config allows as well, in lower case */
export function requestHeadersForExpert(
  headers: RawHeaders,
  more: ReadonlySet<string> = new Set(),
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of REQUEST) put(picked, name, headers[name]);
  for (const name of more) if (Object.hasOwn(headers, name)) put(picked, name, headers[name]);
  return picked;
}

/** @param headers by their names in lower case */
export function responseHeadersForClient(headers: RawHeaders): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name in headers)
    if (RESPONSE.has(name) || RESPONSE_PREFIXED.test(name)) put(picked, name, headers[name]);
  return picked;
}

function put(headers: Record<string, string>, name: string, value: RawHeaders[string]): void {
  if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
}
