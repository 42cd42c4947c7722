import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { hashKey } from '../front/auth.ts';
import { admit } from './admission.ts';

const REMOTE = "experts: [{ id: one, kind: openai, url: 'http://127.0.0.1:1' }]";
const EMBEDDED = 'experts: [{ id: one, kind: llama }]';
const KEYED = `keys: [{ name: a, hash: '${hashKey('a')}' }, { name: b, hash: '${hashKey('b')}' }]`;
const ONE_KEY = `keys: [{ name: a, hash: '${hashKey('a')}' }]`;

const config = (...lines: string[]): Config => parseConfig(lines.join('\n'), 'test.yaml', {});
const at = (address: string) => `listen: '${address}'`;
const follows = (next: Config, before: Config, processes = 1) =>
  admit(next, {}, { config: before, processes });

describe('a start', () => {
  it.each([
    ['0.0.0.0:8080', KEYED, '0.0.0.0'],
    ['0.0.0.0:8080', '', '127.0.0.1'],
    ['[::]:8080', 'keys: []', '127.0.0.1'],
    ['router.example:8080', '', '127.0.0.1'],
    ['[::1]:8080', '', '::1'],
    ['LOCALHOST:8080', '', 'LOCALHOST'],
    ['127.9.9.9:8080', '', '127.9.9.9'],
  ])('at %s with %j listens at %s', (address, keys, host) => {
    expect(admit(config(at(address), keys, REMOTE), {}, null).address).toMatchObject({ host, port: 8080 });
  });

  it('takes the command line for port and workers', () => {
    expect(admit(config(REMOTE), { port: 1, workers: 3 }, null)).toMatchObject({
      address: { port: 1 },
      processes: 3,
    });
  });

  it('shares embedded experts among no workers', () => {
    expect(admit(config(EMBEDDED), {}, null).processes).toBe(1);
    expect(() => admit(config(EMBEDDED), { workers: 2 }, null)).toThrow('--workers 2');
  });
});

describe('a reload', () => {
  it.each([
    ['0.0.0.0:1', '', '0.0.0.0:1'],
    ['127.0.0.1:1', '', '127.0.0.1:1'],
    ['127.0.0.1:1', 'keys: []', '127.0.0.1:1'],
    ['0.0.0.0:1', '', '127.0.0.1:1'],
  ])('at %s never loses its keys: %j at %s', (before, keys, next) => {
    expect(() => follows(config(at(next), keys, REMOTE), config(at(before), KEYED, REMOTE))).toThrow(
      /lost its keys.*restart/,
    );
  });

  it('changes keys, drops one of several, and adds the first', () => {
    expect(() => follows(config(ONE_KEY, REMOTE), config(KEYED, REMOTE))).not.toThrow();
    expect(() => follows(config(KEYED, REMOTE), config(REMOTE))).not.toThrow();
    expect(() => follows(config(REMOTE), config(REMOTE))).not.toThrow();
  });

  it('brings no embedded experts to several processes', () => {
    expect(() => follows(config(EMBEDDED), config(REMOTE), 2)).toThrow('Restart');
    expect(() => follows(config(EMBEDDED), config(REMOTE), 1)).not.toThrow();
  });
});
