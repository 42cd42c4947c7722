/**
 * The verbs: a name, a summary, and where the rest is. A verb's code is imported when it is called and not before, so
 * that `--help` costs no more than this file.
 */
import type { Command } from 'commander';

export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Serves until it is told to end, so it outlives whoever read its first lines. */
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
    name: 'route',
    summary: 'show which expert a prompt goes to, and why, without asking it',
    load: async () => (await import('./route.ts')).routeCommand(),
  },
  {
    name: 'assign',
    summary: 'show which expert serves which cluster, and why',
    load: async () => (await import('./assign.ts')).assignCommand(),
  },
  {
    name: 'train',
    summary: 'learn clusters from prompts, without labels, and write them as a router model',
    load: async () => (await import('./train.ts')).trainCommand(),
  },
  {
    name: 'inspect',
    summary: 'show the clusters of a router model: names, sizes, terms, examples, how it was trained',
    load: async () => (await import('./inspect.ts')).inspectCommand(),
  },
  {
    name: 'check',
    summary: 'check a config: form, variables, router model, and who serves what',
    load: async () => (await import('./check.ts')).checkCommand(),
  },
  {
    name: 'doctor',
    summary: 'examine every expert: reachable, engine, model, answers, streaming, cancelling, metrics',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'discover',
    summary: 'look for engines on this machine and for API keys, and print a config with what was found',
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
    summary: 'put a server under load and report what its users felt',
    load: async () => (await import('./loadtest.ts')).loadTestCommand(),
  },
  {
    name: 'plan',
    summary: 'compute what a model needs and gives on a GPU, or search placements for a number of users',
    load: async () => (await import('./plan.ts')).planCommand(),
  },
  {
    name: 'engine',
    summary: 'write a folder that quantises models and serves them with TensorRT-LLM, an expert a GPU',
    load: async () => (await import('./engine.ts')).engineCommand(),
  },
  {
    name: 'simulate',
    summary: 'simulate experts on GPUs under a load, before buying either',
    load: async () => (await import('./simulate.ts')).simulateCommand(),
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
    name: 'key',
    summary: 'make an API key and the config lines that accept it',
    load: async () => (await import('./key.ts')).keyCommand(),
  },
  {
    name: 'completion',
    summary: 'print what bash, zsh or fish needs to complete this command line',
    load: async () => (await import('./completion.ts')).completionCommand(VERBS),
  },
];
