import { describe, expect, it } from 'vitest';
import type { RouterError } from '../../core/errors.ts';
import { type Permitted, refuseForeignPage, type Whence } from './foreign-page.ts';
import { readTarget } from './target.ts';

const NOTHING: Permitted = { hosts: [], origins: [] };
const PERMITTED = {
  hosts: ['0.0.0.0', 'Router.Example', 'fd00:0::1'],
  origins: ['https://Chat.example:443', 'app://notes'],
};

function verdict(whence: Partial<Whence>, permitted = NOTHING): string {
  try {
    refuseForeignPage(
      { authority: 'localhost', origin: undefined, fetchSite: undefined, ...whence },
      permitted,
    );
    return 'passes';
  } catch (error) {
    return (error as RouterError).code;
  }
}

describe('a host', () => {
  it.each([
    null,
    'localhost',
    'localhost:8080',
    'localhost:',
    'LOCALHOST:8080',
    'localhost.',
    'localhost.:8080',
    'app.localhost:1',
    '127.0.0.1',
    '127.1.2.3:8080',
    '[::1]',
    '[::1]:8080',
    '[0:0:0:0:0:0:0:1]:8080',
    '[::ffff:127.0.0.1]:8080',
  ])('of this machine passes: %s', (authority) => {
    expect(verdict({ authority })).toBe('passes');
  });

  it.each(['router', 'ROUTER:8080', 'x'])(
    'of one label passes, for nobody can serve a page under it: %s',
    (authority) => {
      expect(verdict({ authority })).toBe('passes');
    },
  );

  it.each([
    'evil.example',
    'evil.example:8080',
    '',
    ':8080',
    'localhost.evil.example',
    'evil-localhost.example',
    '.localhost',
    'localhost..',
    'localhost:80a',
    'localhost:8080:1',
    'localhost, evil.example',
    'evil@localhost',
    'localhost/evil',
    'localhost#evil',
    '127.0.0.1.evil.example',
    '127.0.0.1.nip.io',
    '128.0.0.1',
    '192.168.0.7:8080',
    '0.0.0.0:8080',
    '[::1%25lo]:8080',
    '[::1%lo]',
    '[::2]',
    '[:::1]',
    '::1',
    '[fd00::1]',
    'router.example',
  ])('from elsewhere does not: %s', (authority) => {
    expect(verdict({ authority })).toBe('host_not_allowed');
  });

  it.each(['0.0.0.0:8080', 'router.example', 'ROUTER.example.:80', '[fd00::1]:8080', '[FD00::0:1]'])(
    'passes where the config names it: %s',
    (authority) => {
      expect(verdict({ authority }, PERMITTED)).toBe('passes');
    },
  );

  it('is repeated in part only', () => {
    const authority = `${'e'.repeat(5000)}.example`;
    expect(() => refuseForeignPage({ authority, origin: undefined, fetchSite: undefined }, NOTHING)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{100,500}$/) as string }),
    );
  });
});

describe('an origin', () => {
  it.each(['http://localhost:5173', 'http://127.0.0.1', 'https://app.localhost', 'http://[::1]:3000'])(
    'of this machine passes, whatever the sites: %s',
    (origin) => {
      expect(verdict({ origin, fetchSite: 'cross-site' })).toBe('passes');
    },
  );

  it.each([
    'http://evil.example',
    'http://router',
    'https://evil.example:8080',
    'null',
    '',
    'http://localhost.evil.example',
    'http://evil@localhost',
    'http://localhost, http://evil.example',
    'ftp://localhost',
    'file://',
    'chrome-extension://localhost',
    'https://chat.example',
    'app://notes',
  ])('from elsewhere does not, whatever the sites: %s', (origin) => {
    expect(verdict({ origin, fetchSite: 'same-origin' })).toBe('origin_not_allowed');
  });

  it.each(['https://chat.example', 'HTTPS://CHAT.example', 'app://notes', 'http://router.example:3000'])(
    'passes where the config names it: %s',
    (origin) => {
      expect(verdict({ origin, fetchSite: 'cross-site' }, PERMITTED)).toBe('passes');
    },
  );

  it.each(['http://chat.example', 'https://chat.example:8443', 'app://notes.evil'])(
    'is compared whole: %s',
    (origin) => {
      expect(verdict({ origin }, PERMITTED)).toBe('origin_not_allowed');
    },
  );

  it.each([
    ['cross-site', 'origin_not_allowed'],
    ['Cross-Site', 'origin_not_allowed'],
    ['same-origin', 'passes'],
    ['same-site', 'passes'],
    ['none', 'passes'],
  ])('left out, the browser’s word on the sites decides: %s', (fetchSite, expected) => {
    expect(verdict({ fetchSite })).toBe(expected);
  });
});

describe('a target', () => {
  it.each([
    ['/v1/models?x', ['Host', 'a:1'], { path: '/v1/models?x', authority: 'a:1' }],
    ['/', ['accept', 'host'], { path: '/', authority: null }],
    ['http://b:2/v1/models?x', ['host', 'a'], { path: '/v1/models?x', authority: 'b:2' }],
    ['HTTP://b', ['HOST', 'a'], { path: '/', authority: 'b' }],
    ['https://b?x', [], { path: '/?x', authority: 'b' }],
    ['http://c@b/', [], { path: '/', authority: 'c@b' }],
    ['/http://b/', ['host', 'a'], { path: '/http://b/', authority: 'a' }],
  ])('%s with %j', (url, headers, target) => {
    expect(readTarget(url, headers)).toEqual(target);
  });

  it('with two hosts is refused', () => {
    expect(() => readTarget('/', ['host', 'localhost', 'Host', 'localhost'])).toThrow('more than one Host');
  });
});
