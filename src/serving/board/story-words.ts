/** A request's story in English; the dashboard has it in other languages too. */
import type { ErrorCode } from '../../core/errors.ts';

type Reason = (expert: string, home: string) => string;

const sentences = {
  came: (when: string, path: string) => `It came at ${when} to ${path}.`,
  by: (key: string) => `It came with the API key named “${key}”.`,
  decided: (time: string) => `Reading it and deciding took ${time}.`,
  topic: (name: string, cluster: number, share: string) =>
    `Its nearest topic is “${name}” (cluster ${cluster}); the router is ${share} sure of that.`,
  outsideText: 'It is unlike anything the router model knows.',
  moved: (from: string, to: string) =>
    `With that its conversation moved from ${from}, which has it cached, to ${to}.`,
  reread: (n: string) => `${n} tokens had to be read again.`,
  queue: (time: string, expected: string | null) =>
    `It waited in a queue for ${time}; ${expected ?? 'no wait'} was expected.`,
  noQueue: 'It did not wait in a queue.',
  asked: (expert: string, at: string) => `${expert} was asked ${at} after the request came.`,
  hedged: (expert: string, at: string) =>
    `Because no token had come yet, ${expert} was asked as well, ${at} after the request came.`,
  failedTry: (expert: string, at: string, why: string) => `${expert} failed ${at} later: ${why}.`,
  again: (expert: string, at: string, waited: string | null) =>
    `So ${waited === null ? '' : `after another wait of ${waited} `}${expert} was asked, ${at} after the request came.`,
  givenUp: (expert: string) => `${expert} had not answered by then and was stopped.`,
  first: (time: string) => `The first token came after ${time}.`,
  running: (time: string) => `It has been running for ${time}.`,
  waitingFirst: 'No token has come yet.',
  ended: (time: string) => `The answer was complete after ${time}.`,
  left: (time: string) => `The client left after ${time}, before the answer was complete.`,
  failed: (why: string, time: string) => `It ended after ${time} with an error: ${why}.`,
  tokens: (input: string, output: string) =>
    `The expert read ${input === '1' ? '1 token' : `${input} tokens`} and wrote ${output}.`,
  cached: (n: string) => `${n} of those read came from its cache.`,
  noTokens: 'The expert did not report how many tokens it read and wrote.',
  cost: (dollars: string) => `It cost $${dollars}.`,
  noPrice: (expert: string) => `The config gives no price for ${expert}, so what it cost is not known.`,
  speed: (time: string) => `That is ${time} for each token after the first.`,
  refused: 'No expert was asked.',
  cold: (expert: string) => `No server of ${expert} was running: one had to be started first.`,
  passedOn: (status: string, time: string) =>
    `The client was told that error, with the status ${status}, after ${time}.`,
  failedSo: (time: string) => `With that it ended, ${time} after it came.`,
};

/** By the header `x-expert-router-reason`. */
const reasons: Readonly<Record<string, Reason>> = {
  'nearest-cluster': (expert: string) => `The prompt lies in this topic, and ${expert} serves it.`,
  'nearest-cluster: said': (expert: string) =>
    `What it says suits ${expert} best: nothing else is as near to that expert’s description and samples.`,
  conversation: (expert: string) =>
    `The conversation stays with ${expert}: its last turn does not clearly belong elsewhere, and moving would mean reading everything again.`,
  spilled: (expert: string, home: string) =>
    `${home} suits it best; the routing policy, which looks at how busy experts are, chose ${expert}.`,
  'spilled: cost': (expert: string, home: string) =>
    `${home} suits it best, but waiting there would cost more than asking ${expert}, which suits it less.`,
  'spilled: unavailable': (expert: string, home: string) =>
    `${home} suits it best, but took no requests then; of the others, ${expert} was the best choice.`,
  local: (expert: string, home: string) =>
    `${home} suits it best, but this prompt may go to local experts only: ${expert} takes it.`,
  able: (expert: string, home: string) =>
    `${home} suits it best, but only some experts answer requests of this kind: ${expert} takes it.`,
  outside: (expert: string) =>
    `The prompt is unlike anything the router model knows, so ${expert}, the fallback, takes it.`,
  'side-request': (expert) =>
    `It is a program’s question about a conversation, such as a title for it; the config sends those to ${expert}.`,
  named: (expert: string) => `The request names ${expert} as its model.`,
  forced: (expert: string) => `A header of the request demands ${expert}.`,
  learned: (expert) => `By its scores on prompts like this one, ${expert} suits it best.`,
  explored: (expert, home) =>
    `${home} suits it best; ${expert} is tried this once, to learn how well it answers such prompts.`,
  balanced: (expert) =>
    `Nothing tells the experts apart, so conversations are spread evenly: this one is with ${expert}.`,
};

/** What went wrong, by the code of the error; who reads it knows no code. `expert_error` is one that an expert told. */
const errors: Readonly<Record<ErrorCode | 'expert_error', string>> = {
  invalid_request: 'it is not a valid request',
  invalid_json: 'its body is not valid JSON',
  invalid_body: 'its body could not be read',
  request_loop: 'it had been through this router before, so it went in a circle',
  body_too_large: 'its body is too large',
  unsupported_media_type: 'its body is of a type that is not taken',
  not_found: 'there is nothing at its address',
  method_not_allowed: 'its address does not take that method',
  model_not_found: 'it names a model that is not here',
  context_length_exceeded: 'it is longer than any expert can read',
  previous_response_not_found: 'it continues a response that is not stored here',
  unsupported_parameter: 'it has a field that is not supported',
  unsupported_request: 'no expert offers what it demands',
  invalid_api_key: 'it had no API key, or one that is not known',
  role_missing: 'its API key may not do that',
  model_not_allowed: 'its API key may not use that model',
  not_reloaded: 'the new config could not be taken up',
  not_local: 'it may go to local experts only, and none could take it',
  host_not_allowed: 'it was sent to a host name that this router does not serve',
  origin_not_allowed: 'it came from a web page that may not ask',
  expert_error: 'the expert answered with an error',
  expert_failed: 'the expert answered with an error',
  expert_unreachable: 'the expert could not be reached, or broke the connection before an answer',
  expert_cut_stream: 'the answer broke off before its end',
  expert_timeout: 'the expert took longer than it may',
  expert_not_ready: 'no expert was ready to answer',
  rate_limit_exceeded: 'its API key had reached its rate limit',
  insufficient_quota: 'its API key had used up its budget',
  limits_unavailable: 'the limits of API keys could not be checked',
  overloaded: 'too many requests were waiting already',
  queue_timeout: 'no expert became free in time',
  too_many_connections: 'there were too many connections',
  shutting_down: 'the router was shutting down',
  metrics_incomplete: 'a process of the router did not answer in time',
  internal_error: 'something failed in the router itself; its log has more under the trace id',
};

/** With which status an expert refused, where that says more than the error's code. */
const refusals: Readonly<Record<number, string>> = {
  401: 'it refused the key that the config gives it',
  402: 'it said that no credit is left there',
  403: 'it refused the credentials that the config gives it',
  404: 'it has no such model or path as the config names',
  429: 'it took no more requests then',
  503: 'it said that it takes no requests now',
};

export const englishStory = { gap: ' ', sentences, reasons, errors, refusals };
export type StoryWords = typeof englishStory;
