import { englishStory as story } from '../../../../src/serving/board/story-words.ts';

export const requests = {
  lead: 'The latest requests, newest first. Choose a time to read the story of its request. “By another expert”: not the one that suits the prompt best, which was busy or away.',
  empty: 'No request is remembered. Try one under “Decide”.',
  noMatch: 'No request matches these filters.',
  lookUp: 'Look for this trace id among the older ones',
  all: 'All',
  expert: 'Expert',
  result: 'Result',
  find: 'Trace id',
  results: {
    ok: 'Answered',
    running: 'Running',
    failed: 'Failed',
    left: 'Client left',
    moved: 'By another expert',
  },
  tries: (n: number) => `at try ${n}`,
  insteadOf: (home: string) => `instead of ${home}`,
  columns: {
    time: 'Time',
    expert: 'Expert',
    topic: 'Topic',
    timing: 'Timing',
    total: 'Total',
    tokens: 'Tokens out',
    result: 'Result',
  },
  legend: {
    decide: 'Read and decide',
    queue: 'In a queue',
    first: 'Until the first token',
    stream: 'Rest of the answer',
  },
  pause: 'Pause',
  resume: 'Resume',
};

export const trace = {
  title: 'One request',
  back: 'All requests',
  missing:
    'No request with this trace id is remembered: either there was none, or it is too long ago. Each process keeps its latest 1,000, of more than 25 a second a sample, and none over a restart.',
  ...story.sentences,
  timeline: 'Where the time went',
  ranking: 'Order of the experts',
  near: 'Nearest topics',
  details: 'Details',
  fields: {
    trace: 'Trace id',
    status: 'HTTP status',
    reason: 'Reason',
    replica: 'Replica',
    tries: 'Tries',
    conversation: 'Conversation',
    home: 'Suits best',
  },
};

export const conversations = {
  reread: (tokens: string) => `(${tokens} read again)`,
  lead: 'Conversations with several turns among the latest requests: where each lives, and what its moves cost.',
  empty: 'No conversation with several turns yet.',
  movedOnly: 'Only those that moved',
  noneMoved: 'None of them has moved.',
  columns: {
    last: 'Last turn',
    expert: 'Lives at',
    turns: 'Turns seen',
    moves: 'Moves',
    path: 'Path',
    cached: 'Prompt cached',
    lost: 'Read again after moves',
  },
  about:
    '“Read again”: input tokens that were not in the cache on turns that moved. Engines that do not report cached tokens show –.',
};
