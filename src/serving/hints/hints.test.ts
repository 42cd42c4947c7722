import { beforeEach, describe, expect, it } from 'vitest';
import { NO_DEMAND } from '../../deciding/scaling/demand.ts';
import type { Move } from '../gateway/conversations.ts';
import { type ReplicaHint, readHint } from './hint.ts';
import { Hints } from './hints.ts';

const other = {
  from: 'b',
  config: 'c1',
  routerModel: 'm1',
  replicas: { r: { opensIn: 500 } },
  moves: [['k', 'e']],
};
let now: number;
let published: string[];
let told: Readonly<Record<string, ReplicaHint>>[];
let moves: (readonly Move[])[];
let logged: string[];
const channel = {
  publish: (text: string) => void published.push(text),
  onMessage: (_: string) => {},
  close: () => {},
};

function hints(): Hints {
  return new Hints({
    channel,
    from: 'a',
    serving: () => ({ config: 'c1', routerModel: 'm1' }),
    replicas: () => ({}),
    demands: () => ({ code: { ...NO_DEMAND, inFlight: 2 } }),
    onReplicas: (all) => told.push(all),
    onMoves: (all) => moves.push(all),
    now: () => now,
    log: (line) => logged.push(line),
  });
}
const hear = (value: unknown): void =>
  channel.onMessage(typeof value === 'string' ? value : JSON.stringify(value));

beforeEach(() => {
  [now, published, told, moves, logged] = [0, [], [], [], []];
});

describe('hints', () => {
  it('tell each move once, and are read back as they were told', () => {
    const own = hints();
    own.moved(['key', 'code']);
    own.tell();
    own.tell();
    own.close();
    expect(published.map((text) => readHint(text)?.moves)).toEqual([[['key', 'code']], []]);
  });

  it('of others are taken, with what they leave out unknown; our own are not heard', () => {
    const own = hints();
    hear(other);
    hear({ ...other, from: 'a' });
    own.close();
    expect(told).toEqual([{ r: { opensIn: 500, finishes: 0, reads: 0 } }]);
    expect(moves).toEqual([[['k', 'e']]]);
    expect(own.peers()).toMatchObject([{ from: 'b', same: true, secondsAgo: 0 }]);
    now = 10_001;
    expect(own.peers()).toEqual([]);
  });

  it('tell what is asked of experts, read back as it was told, until the gateway is gone', () => {
    const own = hints();
    own.tell();
    hear({ ...JSON.parse(published[0]!), from: 'b' });
    expect(own.demandsOf('code')).toEqual([{ ...NO_DEMAND, inFlight: 2 }]);
    expect(own.demandsOf('toString')).toEqual([]);
    now = 10_001;
    expect(own.demandsOf('code')).toEqual([]);
    own.close();
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    { ...other, from: '' },
    { ...other, config: 3 },
    { ...other, replicas: { r: { opensIn: -1 } } },
    { ...other, replicas: { r: { opensIn: 1e12 } } },
    { ...other, replicas: { r: { finishes: 'many' } } },
    { ...other, replicas: Object.fromEntries(Array.from({ length: 2_001 }, (_, at) => [`r${at}`, {}])) },
    { ...other, demands: { code: { ...NO_DEMAND, inFlight: -1 } } },
    { ...other, demands: { code: { inFlight: 1 } } },
    { ...other, moves: [['k']] },
    { ...other, moves: Array(2_001).fill(['k', 'e']) },
    `${' '.repeat(1_000_001)}${JSON.stringify(other)}`,
  ])('that are none are passed over (%#)', (message) => {
    const own = hints();
    hear(message);
    own.close();
    expect(told).toEqual([]);
    expect(own.peers()).toEqual([]);
  });

  it('are bounded, however many processes there are and moves in a second', () => {
    const own = hints();
    for (let at = 0; at < 3_000; at++) own.moved([`k${at}`, 'e']);
    own.tell();
    expect(readHint(published[0]!)?.moves).toHaveLength(2_000);
    for (let at = 0; at < 1_200; at++) hear({ ...other, from: `g${at}` });
    own.close();
    expect(own.peers()).toHaveLength(1_000);
  });

  it('say when others serve something else, and when that is over', () => {
    const own = hints();
    hear({ ...other, routerModel: 'm2' });
    own.tell();
    own.tell();
    hear(other);
    own.tell();
    own.close();
    expect(logged).toEqual([
      'Of the gateways that share hints, 1 serve another config or router model.',
      'All gateways that share hints serve the same config again.',
    ]);
  });
});
