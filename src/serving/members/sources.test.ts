/** DNS names and files as sources of replicas. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/gateway.ts';
import type { Found } from '../fleet/membership.ts';
import { type LookUp, watchDns } from './dns.ts';
import { addressesIn, watchFile } from './file.ts';
import type { Source } from './source.ts';

function listener() {
  const told: string[][] = [];
  const troubles: (string | null)[] = [];
  return {
    told,
    troubles,
    around: {
      tell: (found: readonly Found[]) => void told.push(found.map(({ url }) => url)),
      trouble: (problem: string | null) => void troubles.push(problem),
      environment: {},
      random: () => 0,
    },
  };
}

describe('a DNS name', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const absent = Object.assign(new Error('getaddrinfo ENOTFOUND vllm'), { code: 'ENOTFOUND' });
  const shaky = Object.assign(new Error('getaddrinfo EAI_AGAIN vllm'), { code: 'EAI_AGAIN' });

  it('is every address a replica, looked up again', async () => {
    const { told, around } = listener();
    const answers = [
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.2', 'fd00::1'],
    ];
    const lookUp: LookUp = async () => answers.shift() ?? [];
    const source = watchDns({ dns: 'vllm', port: 8000, interval: 1000 }, around, lookUp);
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([['http://10.0.0.1:8000', 'http://10.0.0.2:8000']]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(told[1]).toEqual(['http://10.0.0.2:8000', 'http://[fd00::1]:8000']);
    source.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toHaveLength(2);
  });

  it('keeps what it had while the resolver fails, and believes its absence the second time', async () => {
    const { told, troubles, around } = listener();
    const answers = [['10.0.0.1'], shaky, shaky, shaky, absent, ['10.0.0.1'], absent, absent];
    const lookUp: LookUp = async () => {
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const source = watchDns({ dns: 'vllm', port: 8000, interval: 1000 }, around, lookUp);
    await vi.advanceTimersByTimeAsync(7000);
    source.close();
    expect(told).toEqual([['http://10.0.0.1:8000'], ['http://10.0.0.1:8000'], []]);
    expect(troubles[1]).toMatch(/vllm cannot be looked up: .*EAI_AGAIN/);
  });
});

describe('a file of addresses', () => {
  let folder: string;
  let source: Source | null = null;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'replicas-'));
  });
  afterEach(() => {
    source?.close();
    rmSync(folder, { recursive: true });
  });

  it('may be JSON or YAML, with addresses, URLs and weights', () => {
    expect(addressesIn('["10.0.0.1:8000", {"url": "https://gpu2/openai", "weight": 2}]')).toEqual([
      { url: 'http://10.0.0.1:8000', weight: 1 },
      { url: 'https://gpu2/openai', weight: 2 },
    ]);
    expect(addressesIn('- "[fd00::1]:8000"\n- gpu3:80\n').map(({ url }) => url)).toEqual([
      'http://[fd00::1]:8000',
      'http://gpu3:80',
    ]);
    expect(addressesIn('[]')).toEqual([]);
  });

  it.each([
    ['', /middle of a line/],
    ['- gpu1:8000\n- gpu2:80', /middle of a line/],
    ['["gpu1:8000", "gpu2', /middle of a line/],
    ['{"url": "gpu1:8000"}\n', /must be a list of addresses/],
    ['- gpu1\n', /entry 0/],
    ['- ftp://gpu1:21\n', /entry 0/],
    ['- {url: "gpu1:80", wieght: 2}\n', /entry 0/],
    ['- http://user:secret@gpu1:80\n', /entry 0/],
    [`- &a [*a]\n`, /alias|list/i],
  ])('refuses %j', (text, why) => {
    expect(() => addressesIn(text)).toThrow(why);
  });

  it('is followed as it changes, and half a file changes nothing', async () => {
    const { told, troubles, around } = listener();
    const path = join(folder, 'code.json');
    writeFileSync(path, '["10.0.0.1:8000"]');
    source = watchFile(path, around);
    await eventually('the first list', () => told.length === 1);
    writeFileSync(path, '["10.0.0.1:8000", "10.0');
    await eventually('half a file is objected to', () => /middle of a line/.test(troubles.at(-1) ?? ''));
    expect(told).toHaveLength(1);
    writeFileSync(`${path}.new`, '["10.0.0.2:8000"]');
    renameSync(`${path}.new`, path);
    await eventually('the second list', () => told.length === 2);
    expect(told[1]).toEqual(['http://10.0.0.2:8000']);
    expect(troubles.at(-1)).toBeNull();
    rmSync(path);
    await eventually('its absence is told', () => /ENOENT/.test(troubles.at(-1) ?? ''));
    expect(told).toHaveLength(2);
  });
});
