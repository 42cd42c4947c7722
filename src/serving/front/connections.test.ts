import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Connections, UNREAD_MS, type Watched } from './connections.ts';

class FakeSocket extends EventEmitter {
  bytesWritten = 0;
  writableLength = 0;
  destroyed = false;
  readonly remoteAddress: string;
  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
  destroy(): this {
    this.destroyed = true;
    this.emit('close');
    return this;
  }
}

const NONE = { total: 100, perAddress: 100 };
const socket = (address = '10.0.0.1') => new FakeSocket(address);
const asWatched = (fake: FakeSocket) => fake as unknown as Watched;

describe('Connections', () => {
  it('refuses what is over a limit, and takes others in when some have closed', () => {
    const connections = new Connections();
    const limits = { total: 3, perAddress: 2 };
    const all = ['a', 'a', 'a', 'b', 'c'].map((address) => socket(address));
    for (const one of all) connections.add(asWatched(one), limits);
    expect(all.map((one) => connections.isRefused(one))).toEqual([false, false, true, false, true]);
    all[0]!.destroy();
    const [again, other] = [socket('a'), socket('c')];
    for (const one of [again, other]) connections.add(asWatched(one), limits);
    expect([again, other].map((one) => connections.isRefused(one))).toEqual([false, true]);
  });

  it('ends the connection of a client that takes nothing for long, and no other', () => {
    const connections = new Connections();
    const [idle, stuck, slow] = [socket(), socket(), socket()];
    for (const one of [idle, stuck, slow]) connections.add(asWatched(one), NONE);
    stuck.bytesWritten = 9_000;
    stuck.writableLength = 5_000;
    slow.writableLength = 5_000;
    for (let now = 0; now <= UNREAD_MS; now += 1_000) {
      slow.bytesWritten += 1;
      connections.look(now);
      if (now < UNREAD_MS) expect(stuck.destroyed).toBe(false);
    }
    expect([idle, stuck, slow].map((one) => one.destroyed)).toEqual([false, true, false]);
  });
});
