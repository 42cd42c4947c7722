import { describe, expect, it } from 'vitest';
import { type HashedKey, hashKey } from '../front/auth.ts';
import { type Bins, count, quantileOf } from './bins.ts';
import { Latest } from './latest.ts';
import { merged } from './merge.ts';
import { Moves } from './moves.ts';
import { placesOf } from './places.ts';
import { addSeconds, KEPT_SECONDS, Seconds } from './seconds.ts';
import { sessionCookie, viewerOf } from './session.ts';
import { type BoardEvent, TALLY, type Told } from './wire.ts';

describe('bins', () => {
  it('tell quantiles to within a bin, over all magnitudes', () => {
    for (const scale of [0.5, 30, 4_000, 250_000]) {
      const bins: Bins = {};
      for (let i = 1; i <= 1_000; i++) count(bins, (i / 1_000) * scale);
      expect(quantileOf(bins, 0.5)! / (0.5 * scale)).toBeCloseTo(1, 1);
      expect(quantileOf(bins, 0.95)! / (0.95 * scale)).toBeCloseTo(1, 1);
    }
  });

  it('say nothing of nothing', () => {
    expect(quantileOf({}, 0.5)).toBeNull();
  });
});

describe('the latest', () => {
  it('are all that come slowly, the last of them where there are more', () => {
    const latest = new Latest<number>(30);
    for (let n = 0; n < 100; n++) latest.add(n * 50, n);
    expect(latest.kept).toEqual(Array.from({ length: 30 }, (_, index) => 70 + index));
  });

  it('are a sample of what comes fast, with the remarkable ones', () => {
    const latest = new Latest<string>(500);
    for (let n = 0; n < 3_000; n++) latest.add(n, n % 100 === 7 ? `odd ${n}` : 'even', n % 100 === 7);
    expect(latest.kept).toHaveLength(3 * (25 + 10));
    expect(latest.kept).toContain('odd 2907');
  });
});

const place = (name: (typeof TALLY)[number]): number => TALLY.indexOf(name);

describe('seconds', () => {
  it('add what happened in each, and tell those that are over', () => {
    const seconds = new Seconds();
    seconds.add(10_100, 'code', { chosen: 1, input: 5 });
    seconds.add(10_900, 'code', { chosen: 1 });
    seconds.chosen(10_900, 3, true);
    seconds.first(11_000, 20);
    const told = seconds.since(9, 12_500);
    expect(told.map(({ at }) => at)).toEqual([10, 11]);
    expect(told[0]!.experts.code![place('chosen')]).toBe(2);
    expect(told[0]!.experts.code![place('input')]).toBe(5);
    expect(told[0]!.clusters).toEqual({ 3: 1 });
    expect(told[0]!.outside).toBe(1);
    expect(seconds.since(10, 11_900).map(({ at }) => at)).toEqual([]);
  });

  it('are a fixed number, whatever the load', () => {
    const seconds = new Seconds();
    for (let at = 0; at < 2 * KEPT_SECONDS; at++) seconds.add(at * 1000, 'code', { chosen: 1 });
    expect(seconds.since(0, 1e9)).toHaveLength(KEPT_SECONDS);
  });

  it('go on in the last one when the clock is set back', () => {
    const seconds = new Seconds();
    seconds.add(50_000, 'code', { chosen: 1 });
    seconds.add(20_000, 'code', { chosen: 1 });
    expect(seconds.since(0, 60_000).map(({ at, experts }) => [at, experts.code![0]])).toEqual([[50, 2]]);
  });

  it('begin anew when it is set back by more than a moment', () => {
    const seconds = new Seconds();
    for (const at of [90, 100, 5_000]) seconds.add(at * 1_000, 'code', { chosen: 1 });
    seconds.add(101_000, 'code', { chosen: 1 });
    expect(seconds.since(0, 103_000).map(({ at }) => at)).toEqual([90, 100, 101]);
  });

  it('of several processes are one', () => {
    const parts = [1, 2].map((worker) => {
      const seconds = new Seconds();
      seconds.add(10_000, 'code', { ended: worker });
      seconds.load(10_500, { code: [worker, 1] });
      seconds.add((10 + worker) * 1_000, 'maths', { failed: 1 });
      return seconds.since(0, 20_000);
    });
    const sum = addSeconds(parts);
    expect(sum.map(({ at }) => at)).toEqual([10, 11, 12]);
    expect(sum[0]!.experts.code![place('ended')]).toBe(3);
    expect(sum[0]!.load).toEqual({ code: [3, 2] });
    expect(parts[0]![0]!.experts.code![place('ended')]).toBe(1);
  });
});

describe('merged', () => {
  const told = (events: readonly BoardEvent[]): Told => ({
    seconds: [],
    dots: [],
    rows: [],
    shadow: null,
    events,
  });

  it('tells an event once that every process has noticed', () => {
    const events = merged([
      told([{ at: 1_000, kind: 'down', what: 'code' }]),
      told([
        { at: 1_900, kind: 'down', what: 'code' },
        { at: 2_000, kind: 'down', what: 'maths' },
        { at: 9_000, kind: 'down', what: 'code' },
      ]),
    ]).events;
    expect(events.map(({ at, what }) => [at, what])).toEqual([
      [1_000, 'code'],
      [2_000, 'maths'],
      [9_000, 'code'],
    ]);
  });
});

describe('moves', () => {
  it('of ten seconds are one event, over all processes', () => {
    const [one, other] = [new Moves(), new Moves()];
    one.add(11_000, 'code', 'maths', 900);
    one.add(12_000, 'code', 'maths', null);
    one.add(21_000, 'maths', 'code', null);
    other.add(19_999, 'code', 'general', 100);
    expect(one.over(19_999)).toEqual([]);
    const told = (moves: Moves): Told => ({
      seconds: [],
      dots: [],
      rows: [],
      shadow: null,
      events: moves.over(31_000),
    });
    expect(merged([told(one), told(other)]).events).toEqual([
      { at: 20_000, kind: 'moved', what: '', moved: { count: 3, from: 'code', to: null, reread: 1_000 } },
      {
        at: 30_000,
        kind: 'moved',
        what: 'code',
        moved: { count: 1, from: 'maths', to: 'code', reread: null },
      },
    ]);
    expect(one.over(99_000)).toEqual([]);
  });
});

describe('placesOf', () => {
  const model = (points: readonly (readonly number[])[]) => ({
    clusters: points.length,
    dimensions: points[0]!.length,
    centroids: Float32Array.from(points.flat()),
    squaredNorms: Float64Array.from(points, (point) => point.reduce((sum, x) => sum + x * x, 0)),
  });
  const far = (a: readonly [number, number], b: readonly [number, number]): number =>
    Math.hypot(a[0] - b[0], a[1] - b[1]);

  it('keeps distances that two dimensions can show', () => {
    const places = placesOf(
      model([
        [0, 0, 0],
        [3, 0, 0],
        [0, 4, 0],
        [3, 4, 0],
      ]),
    );
    const unit = far(places[0]!, places[1]!) / 3;
    expect(far(places[0]!, places[2]!) / unit).toBeCloseTo(4, 1);
    expect(far(places[1]!, places[2]!) / unit).toBeCloseTo(5, 1);
    expect(Math.max(...places.flat().map(Math.abs))).toBeCloseTo(1);
  });

  it('is the same every time, also for one cluster and for equal ones', () => {
    const points = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(3 * i), Math.sin(5 * i + 1)]);
    expect(placesOf(model(points))).toEqual(placesOf(model(points)));
    for (const few of [
      [[1, 2]],
      [
        [1, 2],
        [1, 2],
      ],
    ])
      expect(placesOf(model(few)).flat().every(Number.isFinite)).toBe(true);
  });
});

describe('sessions', () => {
  const key = (name: string, secret = name): HashedKey => ({
    name,
    roles: ['observe'],
    local_only: false,
    hash: hashKey(secret),
    priority: 0,
  });
  const keys = [key('alice'), key('bob'), key('.=; ü', 'odd')];
  const request = (cookie: string, headers = {}) =>
    ({ headers: { cookie: `other=1; ${cookie.split(';')[0]}`, ...headers } }) as never;

  it('stand for the key that began them, until they end', () => {
    for (const one of keys) {
      const cookie = sessionCookie(one, 'secret', 1_000, false);
      expect(viewerOf(request(cookie), keys, 'secret', 2_000)).toBe(one);
      expect(() => viewerOf(request(cookie), keys, 'secret', 1_000 + 13 * 3_600)).toThrow('sign in again');
    }
  });

  it('end with the key, its hash or the secret, and cannot be made up or prolonged', () => {
    const cookie = sessionCookie(keys[0]!, 'secret', 1_000, false);
    const refused = (text: string, among: readonly HashedKey[] = keys, secret = 'secret') =>
      expect(() => viewerOf(request(text), among, secret, 2_000)).toThrow('sign in again');
    refused(cookie, [keys[1]!]);
    refused(cookie, [key('alice', 'another')]);
    refused(cookie, keys, 'other');
    refused(cookie.replace(/\.(\d+)\./, '.9999999999.'));
    refused(
      cookie.replace(Buffer.from('alice').toString('base64url'), Buffer.from('bob').toString('base64url')),
    );
    refused('expert-router-session=');
    const expired = { ...keys[0]!, expires: new Date(1_999_000).toISOString() };
    expect(viewerOf(request(cookie), [expired], 'secret', 1_998)).toBe(expired);
    refused(cookie, [expired]);
  });

  it('are not for the pages of other ports of this host', () => {
    const cookie = sessionCookie(keys[0]!, 'secret', 1_000, false);
    for (const site of ['same-site', 'cross-site'])
      expect(() => viewerOf(request(cookie, { 'sec-fetch-site': site }), keys, 'secret', 2_000)).toThrow(
        'Only the dashboard itself',
      );
  });

  it('are kept from scripts and other sites, and from plain HTTP where there is TLS', () => {
    expect(sessionCookie(keys[0]!, 's', 0, true)).toMatch(/; Path=\/ui; HttpOnly; SameSite=Strict; Secure$/);
    expect(sessionCookie(keys[0]!, 's', 0, false)).not.toContain('Secure');
  });
});
