/**
 * `expert-router pull`: fetches the engine and weights into the user's cache, or lists its contents. `serve` fetches
 * missing ones by itself.
 */
import { homedir } from 'node:os';
import { Command } from 'commander';
import { amount, progressBar } from '../core/progress.ts';
import { ensureEngine, findEngine } from '../serving/experts/llama/install.ts';
import { ENGINE_PACKAGE, ENGINE_VERSION } from '../serving/experts/llama/install-plan.ts';
import { cacheFolder } from '../serving/weights/cache-folder.ts';
import { fetchWeights } from '../serving/weights/fetch.ts';
import { listWeights } from '../serving/weights/inventory.ts';
import { DEFAULT_REFERENCE, parseWeights } from '../serving/weights/reference.ts';

const EXAMPLES = `
Examples:
  $ expert-router pull                      the llama.cpp engine and the built-in model
  $ expert-router pull hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf
  $ expert-router pull https://example.org/models/mine.gguf
  $ expert-router pull --verify             the same, and every byte of what is there is read
  $ expert-router pull --list               what is cached, with sizes and checksums

Interrupted downloads go on where they stopped. The cache folder is EXPERT_ROUTER_CACHE, else the
system's usual one. PIP_INDEX_URL, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and HTTPS_PROXY are honoured.`;

export function pullCommand(): Command {
  return new Command('pull')
    .argument('[weights...]', 'what to fetch, written as in `weights:` of a config', [DEFAULT_REFERENCE])
    .option('--list', 'show what is cached and check it')
    .option('--verify', 'read every byte of what is there, and fetch again what is damaged')
    .option('--json', 'machine-readable output')
    .addHelpText('after', EXAMPLES)
    .action(async (weights: string[], options: { list?: boolean; verify?: boolean; json?: boolean }) => {
      const folder = cacheFolder(process.env, process.platform, homedir());
      const json = options.json ?? false;
      const verify = options.verify ?? false;
      await (options.list ? list(folder, json) : pull(folder, weights, { json, verify }));
    });
}

async function pull(
  folder: string,
  weights: readonly string[],
  { json, verify }: { readonly json: boolean; readonly verify: boolean },
): Promise<void> {
  // Reports a mistyped name before minutes of downloading.
  for (const setting of weights) parseWeights(setting, homedir());
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Error('interrupted'));
  process.once('SIGINT', onInterrupt);
  const deps = {
    cacheFolder: folder,
    environment: process.env,
    now: Date.now,
    signal: stop.signal,
    log: (line: string) => void process.stderr.write(`${line}\n`),
    verify,
  };
  try {
    const engine = await ensureEngine({ ...deps, progress: progressBar });
    const files: string[] = [];
    for (const setting of weights) files.push(await pullOne(setting, deps));
    console.log(json ? JSON.stringify({ engine, weights: files }, null, 2) : [engine, ...files].join('\n'));
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

async function pullOne(setting: string, deps: Omit<Parameters<typeof fetchWeights>[1], 'onProgress'>) {
  let bar: ReturnType<typeof progressBar> | undefined;
  const path = await fetchWeights(setting, {
    ...deps,
    onProgress: (done, total, note) => {
      bar ??= progressBar('weights', 'bytes');
      bar.update(done, total, note);
    },
  });
  bar?.finish();
  return path;
}

async function list(folder: string, json: boolean): Promise<void> {
  const engine = (await findEngine(folder)) ?? null;
  const files = await listWeights(folder);
  if (files.some((file) => file.state === 'damaged')) process.exitCode = 1;
  console.log(
    json
      ? JSON.stringify({ cache: folder, engine, weights: files }, null, 2)
      : inWords(folder, engine, files),
  );
}

function inWords(
  folder: string,
  engine: string | null,
  files: Awaited<ReturnType<typeof listWeights>>,
): string {
  const lines = [
    `cache    ${folder}`,
    `engine   ${engine ? `${ENGINE_PACKAGE} ${ENGINE_VERSION}  ${engine}` : 'not installed'}`,
  ];
  for (const { name, bytes, state } of files) {
    lines.push(`weights  ${name}  ${amount(bytes, 'bytes')}  ${DESCRIPTIONS[state]}`);
  }
  if (files.length === 0) lines.push('weights  none');
  return lines.join('\n');
}

const DESCRIPTIONS = {
  pinned: 'checksum verified',
  'as fetched': 'unchanged since it was fetched',
  damaged: 'DAMAGED: delete it and pull again',
  unknown: 'no checksum known',
  partial: 'incomplete: pull again to resume',
} as const;
