/** What a config says of an expert that runs only while it is needed. */
import { z } from 'zod';
import { duration } from '../experts/option-types.ts';

const WORDS = "a list of words, such as [docker, start, code]; a shell is asked by [sh, -c, '…']";
const command = z
  .array(z.string(), WORDS)
  .min(1, 'at least the name of a program')
  .refine(([program]) => program !== '', 'the name of a program first');

/** Milliseconds that a start is waited for where nobody says otherwise. */
export const START_TIMEOUT_MS = 300_000;
/** Milliseconds without a request after which an expert is stopped where nobody says otherwise. */
export const IDLE_MS = 600_000;

export const startFields = {
  start: z
    .union([command, z.literal('engine', `${WORDS}; or engine`)])
    .optional()
    .describe(
      'Command that starts its server when it is needed, as a list of words for no shell. It may return once the server is on its way, or be the server itself, which then ends with the gateway. `engine`: the server runs, and is asked to load and to unload the model (Ollama; Triton in explicit mode; a LoRA adapter with `lora.path`)',
    )
    .meta({ examples: [['docker', 'start', 'vllm-code'], 'engine'] }),
  stop: command
    .optional()
    .describe('Command that stops it; when absent, the process that `start` left running is asked to end')
    .meta({ examples: [['docker', 'stop', 'vllm-code']] }),
  idle: duration
    .optional()
    .describe('Time without a request after which it is stopped; 10m when absent')
    .meta({ examples: ['10m'] }),
  start_timeout: duration
    .optional()
    .describe(
      'Longest that a request is held while it starts, where it is started when it is needed: by `start`, or by whoever scales what `discover` finds from zero. 5m with `start`; otherwise nothing is held',
    )
    .meta({ examples: ['5m'] }),
};

/** Durations in milliseconds. */
export interface StartConfig {
  readonly start?: readonly string[] | 'engine' | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly idle?: number | undefined;
  readonly start_timeout?: number | undefined;
}

/** What an expert's kind and options say of its servers. */
export interface Servers {
  readonly hasServers: boolean;
  readonly discovered: boolean;
}

/** The field that does not go with the others, and why; null where all do. */
export function startObjection(
  { start, stop, idle, start_timeout }: StartConfig,
  { hasServers, discovered }: Servers,
): { readonly option: keyof StartConfig; readonly message: string } | null {
  if (start !== undefined && !hasServers)
    return { option: 'start', message: 'experts of this kind have no server of their own to start' };
  if (start === 'engine' && discovered)
    return {
      option: 'start',
      message: 'an engine is asked at the addresses in `url`, not where `discover` finds it',
    };
  if (start === 'engine' && stop !== undefined)
    return { option: 'stop', message: 'with `start: engine` the engine is asked to unload; leave it out' };
  if (start === undefined && stop !== undefined)
    return { option: 'stop', message: 'goes with `start`, which is missing' };
  if (start === undefined && idle !== undefined)
    return { option: 'idle', message: 'goes with `start`, which is missing' };
  if (start === undefined && start_timeout !== undefined && !discovered)
    return { option: 'start_timeout', message: 'goes with `start` or `discover`: nobody else starts it' };
  return null;
}

/** Milliseconds that a request waits for its start; undefined for an expert that is not started when it is needed. */
export function startLimit({ start, start_timeout }: StartConfig): number | undefined {
  return start_timeout ?? (start === undefined ? undefined : START_TIMEOUT_MS);
}
