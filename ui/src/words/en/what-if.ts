import type { NoticeWords } from '../../../../src/replaying/notices.ts';

export const whatIf = {
  lead: 'The last minutes once more, with something changed: recorded requests go through the simulator, decided by the code that serves them.',
  none: 'No decisions are recorded here. Add to the config: records: {dir: ./records}',
  minutes: 'Minutes',
  policy: 'Policy',
  s: 'Seconds that a unit of fit is worth (S)',
  router: 'Router model',
  fleet: 'Experts',
  fleetHint:
    'Say what each expert is, so that the simulator knows it; then what it would be. An engine’s times are taken from the records where they have enough answers. In order: replicas × model, GPUs of each replica × GPU.',
  as: 'As it is',
  would: 'What if',
  model: 'Model',
  gpu: 'GPU',
  degree: 'GPUs a replica',
  replicas: 'Replicas',
  of: (what: string, expert: string) => `${what} of ${expert}`,
  button: 'Replay',
  running: 'Replaying…',
  result: 'What would have been',
  recorded: 'Recorded',
  asWas: 'Simulated, as it was',
  error: 'Simulator’s error',
  changed: 'Simulated, changed',
  difference: 'Difference',
  resultHint:
    'The simulator’s error is what it misses of the recorded run with nothing changed. Trust a difference only where it is clearly larger. ≥ stands before what is only a lower bound, because too many requests had not got so far at the end.',
  rows: {
    ttft: 'First token',
    tpot: 'Time per token',
    e2e: 'Whole answer',
    output: 'Output tokens/s',
    home: 'At the expert that suits best',
    tooLong: 'Too long for the engine',
    unfinished: 'Not served in time',
    gpus: 'GPUs',
    cost: 'Dollars an hour for GPUs',
  },
  /** English ones come with the view that shows them. */
  notices: undefined as NoticeWords | undefined,
  notice: (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}.`,
  homes: 'Who answered',
  requests: (n: string, seconds: string) => `${n} requests in ${seconds}.`,
};

export const reports = {
  lead: 'Reports of load tests, simulations and evaluations. They are shown without scripts.',
  none: 'No folder of reports is configured. Add to the config: reports: ./reports',
  empty: 'No report yet. expert-router loadtest and simulate write them with --html.',
  name: 'Report',
  written: 'Written',
  size: 'Size',
};
