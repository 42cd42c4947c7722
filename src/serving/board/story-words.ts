/** A request's story in English; the dashboard has it in other languages too. */

type Reason = (expert: string, home: string) => string;

const sentences = {
  came: (when: string, path: string) => `It came at ${when} to ${path}.`,
  by: (key: string) => `It carried the API key “${key}”.`,
  decided: (time: string) => `It was read and decided within ${time}.`,
  topic: (name: string, cluster: number, share: string) =>
    `The nearest topic is “${name}” (cluster ${cluster}); the router is ${share} confident.`,
  outsideText: 'It is unlike anything the router model knows.',
  moved: (from: string, to: string) => `Its conversation moves from ${from}, which has it cached, to ${to}.`,
  reread: (n: string) => `${n} tokens had to be read again.`,
  queue: (time: string, expected: string) => `It waited ${time} in the queue; ${expected} were expected.`,
  noQueue: 'It did not wait in the queue.',
  asked: (expert: string, at: string) => `${expert} was asked ${at} after the request came.`,
  hedged: (expert: string, at: string) =>
    `Because no token had come yet, ${expert} was asked as well, ${at} after the request came.`,
  failedTry: (expert: string, at: string, error: string) => `${expert} failed after ${at} (${error}).`,
  first: (time: string) => `The first token came after ${time}.`,
  running: (time: string) => `It has been running for ${time}.`,
  waitingFirst: 'No token has come yet.',
  ended: (time: string) => `The answer was complete after ${time}.`,
  left: (time: string) => `The client left after ${time}, before the answer was complete.`,
  failed: (error: string, time: string) => `It ended with an error after ${time}: ${error}.`,
  tokens: (input: string, output: string) => `The expert read ${input} tokens and wrote ${output}.`,
  cached: (n: string) => `${n} of those read came from its cache.`,
  noTokens: 'The expert did not report how many tokens it read and wrote.',
  cost: (dollars: string) => `It cost $${dollars}.`,
  noPrice: (expert: string) => `The config gives no price for ${expert}, so what it cost is not known.`,
  speed: (time: string) => `That is ${time} for each token after the first.`,
  refused: 'It reached no expert.',
};

/** By the header `x-expert-router-reason`. */
const reasons: Readonly<Record<string, Reason>> = {
  'nearest-cluster': (expert: string) => `The prompt lies in this topic, and ${expert} serves it.`,
  conversation: (expert: string) =>
    `The conversation stays with ${expert}: its last turn does not clearly belong elsewhere, and moving would mean reading everything again.`,
  spilled: (expert: string, home: string) =>
    `The topic belongs to ${home}, but waiting there would cost more than going to ${expert}.`,
  local: (expert: string, home: string) =>
    `The topic belongs to ${home}, but this prompt may go to local experts only: ${expert} takes it.`,
  able: (expert: string, home: string) =>
    `The topic belongs to ${home}, but only some experts answer requests of this kind: ${expert} takes it.`,
  outside: (expert: string) =>
    `The prompt is unlike anything the router model knows, so ${expert}, the fallback, takes it.`,
  'side-request': (expert) =>
    `A program asks about a conversation, as for a title of it, and the config gives that to ${expert}.`,
  named: (expert: string) => `The request names ${expert} as its model.`,
  forced: (expert: string) => `A header of the request demands ${expert}.`,
  learned: (expert) => `By its scores on prompts like this one, ${expert} suits it best.`,
  explored: (expert, home) =>
    `The topic belongs to ${home}; ${expert} is tried this once, to learn how well it answers such prompts.`,
  balanced: (expert) =>
    `Nothing tells the experts apart, so conversations are spread evenly: this one is with ${expert}.`,
};

export const englishStory = { sentences, reasons };
export type StoryWords = typeof englishStory;
