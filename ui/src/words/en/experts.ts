export const experts = {
  lead: 'Each expert with its replicas, as the router sees them and as their engines report. A breaker that is open keeps requests away from a replica that kept failing.',
  columns: {
    replica: 'Replica',
    health: 'Health',
    breaker: 'Breaker',
    inFlight: 'In flight',
    limit: 'Limit',
    rate: 'Tokens/s',
    engine: 'Engine',
    running: 'Runs',
    waiting: 'Waits',
    cache: 'KV cache',
  },
  topics: (n: number) => (n === 1 ? '1 topic' : `${n} topics`),
  fallback: 'Fallback',
  noPrice: 'No price in the config: its cost is not known',
  price: (input: string, output: string) => `$${input} / $${output} a million tokens in / out`,
  pricePerHour: (dollars: string) => `$${dollars} a GPU hour`,
  cost: (dollars: string) => `$${dollars} in ten minutes`,
  none: 'No topics of its own',
  service: 'Service',
  operators: 'To drain experts and to reload the config, sign in with a key that has the role “operate”.',
  drain: 'Drain',
  drainAsk: (what: string) =>
    `Drain ${what}? It finishes what it answers and gets nothing new until it is resumed; its prompts go to other experts.`,
  drainLast: 'No other can take requests now: all will be refused.',
  isDrained: 'Drained.',
  resume: 'Resume',
  resumeAsk: (what: string) => `Resume ${what}? It gets requests again.`,
  resumed: 'Resumed.',
  reload: 'Reload the config',
  reloadAsk:
    'Take up the config file and the router model as they are now? Running answers end as they began; if anything is wrong with them, everything stays as it is.',
  reloaded: (experts: number) => `Reloaded: ${experts} experts.`,
};

export const topics = {
  lead: 'What the router model knows. Shares: among the prompts it was trained on, and among the requests of the last ten minutes.',
  facts: (id: string, clusters: string, prompts: string, embedding: string) =>
    `Router model ${id}: ${clusters} topics, found in ${prompts} prompts; ${embedding} embedding.`,
  columns: {
    topic: 'Topic',
    words: 'Its words',
    expert: 'Expert',
    trained: 'In training',
    now: 'Now',
    change: 'Change',
  },
  drift: (distance: string, bound: string, requests: string) =>
    `Drift ${distance} of 1 (chance alone: up to ${bound}, with ${requests} requests).`,
  driftHint: 'Jensen-Shannon distance of the shares now from those in training.',
  few: 'Too few requests to judge drift',
  fits: 'Nothing here asks for a new router model.',
  moved: 'The topics have shifted',
  stranger: 'Many requests are like nothing in training',
  refit: 'Train the router model anew with prompts of today: expert-router train.',
  outside: (share: string) => `${share} of the requests are unlike anything the model knows.`,
  quiet: 'No requests in the last ten minutes, so “now” is empty.',
};

export const retraining = {
  title: 'A newer router model',
  lead: 'Trained on the prompts that are recorded here, it decides a sample of the requests beside the one in force, without effect, until it is applied.',
  running: 'Training…',
  done: (id: string, prompts: string, time: string) => `Trained ${id} on ${prompts} prompts in ${time}.`,
  stayed: (kept: string, of: string, moved: string) =>
    `${kept} of ${of} topics stay; ${moved} of these prompts are in another one than before.`,
  fewPrompts: 'So few prompts make a poor model: it takes some hundreds at least.',
  nothing: (id: string) => `${id} decides beside the one in force; it has not looked at a request yet.`,
  compared: (id: string, n: string, share: string) =>
    `${id} has looked at ${n} requests: ${share} of them would belong to another expert.`,
  differences: 'Prompts that would belong to another expert',
  from: 'Now',
  to: 'By the newer one',
  share: 'Share',
  lacking: 'To retrain from here, the config needs:',
  cures: {
    records: 'prompts in the records – records: {dir: ./records, prompts: true}',
    router: 'a router model of its own – router: ./router.safetensors, first a copy of the one that ships',
    shadow: 'a place for the newer one – shadow: ./next.router.safetensors',
  },
  operators: 'To retrain and to apply, sign in with a key that has the role “operate”.',
  retrain: 'Retrain',
  retrainAsk:
    'Train on the recorded prompts? It takes a thread of this machine for some minutes at low priority, and changes nothing until it is applied.',
  begun: 'Begun.',
  apply: 'Apply the newer one',
  applyAsk:
    'Let the newer router model decide from now on? The one before it stays beside it, as a file that ends in .before.',
  applied: 'It decides now.',
};
