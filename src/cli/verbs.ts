/**
 * The table of verbs: name, summary and how to load the code. A verb's code is imported only when called, so that
 * `--help` loads only this file.
 */
import type { Command } from 'commander';

export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Runs until it is stopped, even if the reader of its output closes the pipe. */
  readonly serves?: true;
  /** Its options, arguments and examples. */
  load(): Promise<Command>;
}

export const VERBS: readonly Verb[] = [
  {
    name: 'serve',
    summary: 'serve the gateway',
    serves: true,
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'extproc',
    summary: 'choose experts for Envoy, which carries the bytes: a gRPC external processor',
    serves: true,
    load: async () => (await import('./extproc.ts')).extProcCommand(),
  },
  {
    name: 'envoy',
    summary: 'write the configuration of an Envoy that asks extproc and carries the bytes',
    load: async () => (await import('./envoy.ts')).envoyCommand(),
  },
  {
    name: 'chat',
    summary: 'talk to a running router in the terminal',
    load: async () => (await import('./chat.ts')).chatCommand(),
  },
  {
    name: 'experts',
    summary: "show a running router's experts: health, load, and what their engines report",
    load: async () => (await import('./experts.ts')).expertsCommand(),
  },
  {
    name: 'top',
    summary: 'watch a running router: requests, times, and every expert, each second',
    load: async () => (await import('./top.ts')).topCommand(),
  },
  {
    name: 'why',
    summary: "tell a request's story by its trace id: what was decided, why, and where the time went",
    load: async () => (await import('./why.ts')).whyCommand(),
  },
  {
    name: 'route',
    summary: 'show which expert a prompt goes to, and why, without calling it',
    load: async () => (await import('./route.ts')).routeCommand(),
  },
  {
    name: 'assign',
    summary: 'show which expert serves which cluster, and why',
    load: async () => (await import('./assign.ts')).assignCommand(),
  },
  {
    name: 'train',
    summary: 'learn clusters from unlabelled prompts and write a router model',
    load: async () => (await import('./train.ts')).trainCommand(),
  },
  {
    name: 'learn',
    summary: 'learn from scored prompts how good each expert is where, and add it to a router model',
    load: async () => (await import('./learn.ts')).learnCommand(),
  },
  {
    name: 'evaluate',
    summary:
      'judge a router model or config by scores, labels or its own samples, beside other ways of choosing',
    load: async () => (await import('./evaluate.ts')).evaluateCommand(),
  },
  {
    name: 'calibrate-cost',
    summary: 'weigh score against cost: the whole curve, and the setting that meets a budget',
    load: async () => (await import('./calibrate-cost.ts')).calibrateCostCommand(),
  },
  {
    name: 'inspect',
    summary: 'show the clusters of a router model: names, sizes, terms, examples, how it was trained',
    load: async () => (await import('./inspect.ts')).inspectCommand(),
  },
  {
    name: 'check',
    summary: 'check a config: syntax, variables, router model, and which expert serves which clusters',
    load: async () => (await import('./check.ts')).checkCommand(),
  },
  {
    name: 'doctor',
    summary: 'check every expert: reachability, engine, model, answers, streaming, cancelling, metrics',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'discover',
    summary: 'find engines on this machine and API keys, and print a config for them',
    load: async () => (await import('./discover.ts')).discoverCommand(),
  },
  {
    name: 'emulate',
    summary: 'serve emulated experts: OpenAI HTTP, paced tokens, no model',
    serves: true,
    load: async () => (await import('./emulate.ts')).emulateCommand(),
  },
  {
    name: 'loadtest',
    summary: 'put a server under load and report latency and throughput',
    load: async () => (await import('./loadtest.ts')).loadTestCommand(),
  },
  {
    name: 'plan',
    summary: "compute a model's memory needs and speed on a GPU, or search placements for a number of users",
    load: async () => (await import('./plan.ts')).planCommand(),
  },
  {
    name: 'engine',
    summary: 'write a folder that quantises models and serves them with TensorRT-LLM, one expert per GPU',
    load: async () => (await import('./engine.ts')).engineCommand(),
  },
  {
    name: 'simulate',
    summary: 'simulate experts on GPUs under a load, before buying either',
    load: async () => (await import('./simulate.ts')).simulateCommand(),
  },
  {
    name: 'day',
    summary: 'simulate a day of a fleet that is scaled: requests in time and GPU-hours, by rule',
    load: async () => (await import('./day.ts')).dayCommand(),
  },
  {
    name: 'advise',
    summary: 'find which experts, replicas and GPUs would serve what was recorded, and at what cost',
    load: async () => (await import('./advise.ts')).adviseCommand(),
  },
  {
    name: 'calibrate',
    summary: 'measure an engine of your own for a minute, so that plan and simulate go by its times',
    load: async () => (await import('./calibrate.ts')).calibrateCommand(),
  },
  {
    name: 'pull',
    summary: 'fetch the llama.cpp engine and model weights into the cache',
    load: async () => (await import('./pull.ts')).pullCommand(),
  },
  {
    name: 'triton',
    summary: 'list, load and unload the models of a Triton server',
    load: async () => (await import('./triton.ts')).tritonCommand(),
  },
  {
    name: 'records',
    summary: 'print, filter and export the decisions that a gateway recorded',
    load: async () => (await import('./records.ts')).recordsCommand(),
  },
  {
    name: 'usage',
    summary: 'add up requests, tokens and cost by key, team, expert, cluster or day',
    load: async () => (await import('./usage.ts')).usageCommand(),
  },
  {
    name: 'key',
    summary: 'make an API key and the config lines that accept it',
    load: async () => (await import('./key.ts')).keyCommand(),
  },
  {
    name: 'completion',
    summary: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completionCommand(VERBS),
  },
];
