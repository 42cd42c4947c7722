import type { Moved } from '../../../../src/serving/board/wire.ts';

/** Before and after. */
type Replicas = readonly [number, number];

function movedWords({ count, from, to, reread }: Moved): string {
  const cost = reread === null ? '' : `; ${reread.toLocaleString('en')} tokens read again`;
  if (count === 1) return `A conversation moved from ${from} to ${to}${cost}`;
  const way =
    from === null && to === null ? '' : ` from ${from ?? 'several experts'} to ${to ?? 'several experts'}`;
  return `${count.toLocaleString('en')} conversations moved${way}${cost}`;
}

export const now = {
  lead: 'One address for several language models, the experts: every prompt is read, placed among topics, and sent to the expert that suits it best.',
  flow: {
    label: 'Where the prompts of the last minute went',
    prompts: 'Prompts',
    rate: (n: string) => `${n} a second`,
    seldom: (n: string) => `${n} in the last minute`,
    topics: (n: string) => `read and placed among ${n} topics`,
    away: (share: string) =>
      `${share} are answered by another expert than the one that suits best, because that one is busy or away`,
    busy: (running: string) => `${running} at work`,
    waiting: (n: string) => `${n} waiting`,
    others: (n: string) => `${n} others`,
    fallback: 'whatever fits no other',
  },
  quiet: 'No request in the last minute.',
  sentence: (running: string, rate: string) =>
    `${running === '1' ? '1 request is' : `${running} requests are`} being answered; new ones come at ${rate} a second.`,
  seldom: (running: string, n: string) =>
    `${n === '1' ? '1 request' : `${n} requests`} came in the last minute; ${running === '0' ? 'none' : running} of all ${running === '1' || running === '0' ? 'is' : 'are'} being answered now.`,
  home: (share: string) => `${share} of the answers came from the expert that suits the prompt best.`,
  begin: (half: string) => `Half of the answers begin within ${half}.`,
  someFailed: (share: string) => `${share} of the requests failed in the last minute.`,
  nobodyWaits: 'Nobody waits in a queue.',
  waiting: (n: string) => (n === '1' ? '1 request waits in a queue.' : `${n} requests wait in a queue.`),
  down: (names: string) => `Not available: ${names}.`,
  drained: (names: string) => `Drained, so without new requests: ${names}.`,
  more: 'More under “Experts”',
  allWell: 'All experts are available.',
  minute: 'Last minute',
  inFlight: 'Being answered',
  rate: 'Requests/s',
  output: 'Output tokens/s',
  ttft: 'Time to first token',
  tpot: 'Time per token',
  queued: 'In queues',
  errors: 'Errors',
  most: (time: string) => `95 % within ${time}`,
  ofAll: (n: string, of: string) => `${n} of ${of}`,
  unreported: 'experts report no tokens',
  charts: {
    requests: 'Requests per second, by expert',
    ttft: 'Time to first token',
    tokens: 'Tokens per second',
    trouble: 'Waiting, and failed',
    p50: 'half within',
    p95: '95 % within',
    p99: '99 % within',
    input: 'Input',
    cached: 'of it cached',
    outputTokens: 'Output',
    queued: 'In queues',
    failed: 'Failed per second',
  },
  empty: 'Nothing has been asked in the last ten minutes. Try a prompt under “Decide”, or send one:',
  yourKey: 'YOUR-KEY',
  experts: 'Experts',
  columns: {
    expert: 'Expert',
    state: 'State',
    load: 'At work',
    queue: 'Queue',
    share: 'Share',
    ttft: 'First token',
    expected: 'Wait expected',
    waited: 'Wait seen',
    cache: 'Prompt cached',
    failed: 'Failed',
  },
  about:
    'The last minute. “Wait” is the time in this router’s queue: what was expected when the expert was chosen, and what it was.',
  events: 'What happened',
  eventsHint:
    'In the charts a dashed line stands at each of these, and a short mark where conversations moved to another expert.',
  event: {
    scaled: (what: string, [before, after]: Replicas = [0, 0]) =>
      `${what}: ${after} replicas instead of ${before}`,
    drift: () => 'Requests have drifted from what the router model was trained on',
    down: (what: string) => `${what} cannot take requests`,
    up: (what: string) => `${what} is back`,
    drained: (what: string) => `${what} was drained: it gets nothing new`,
    resumed: (what: string) => `${what} was resumed`,
    moved: (_: string, __?: Replicas, moved?: Moved) => (moved ? movedWords(moved) : ''),
    reload: () => 'Config reloaded',
    model: (what: string) => `New router model ${what}`,
  },
};
