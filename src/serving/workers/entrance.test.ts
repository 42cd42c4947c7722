/** The shared port: every connection finds a worker, also when the one it was handed to dies. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Doorway, Entrance } from './entrance.ts';

const entrance = { current: new Entrance() };
const clients: Socket[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  entrance.current.close();
  entrance.current = new Entrance();
});

/** A worker that notes what it is handed. */
function worker(id: number): Doorway & { readonly handed: Socket[]; next(): Promise<Socket> } {
  const handed: Socket[] = [];
  let wake: ((socket: Socket) => void) | null = null;
  return {
    id,
    handed,
    hand: (socket) => {
      handed.push(socket);
      wake?.(socket);
    },
    next: () =>
      handed[0]
        ? Promise.resolve(handed[0])
        : new Promise((resolve) => {
            wake = resolve;
          }),
  };
}

async function clientsOf(url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    clients.push(client);
    await once(client, 'connect');
  }
}

describe('the entrance', () => {
  it('hands a worker one connection at a time, to each in turn', async () => {
    const url = await entrance.current.open('127.0.0.1', 0);
    const [one, other] = [worker(1), worker(2)];
    entrance.current.join(one);
    entrance.current.join(other);
    await clientsOf(url, 3);
    await Promise.all([one.next(), other.next()]);
    expect([one.handed.length, other.handed.length]).toEqual([1, 1]);
    entrance.current.taken(other);
    await expect.poll(() => other.handed.length).toBe(2);
    expect(one.handed).toHaveLength(1);
    expect(other.handed[0]!.destroyed).toBe(true); // the primary's own end, once the worker has it
  });

  it('gives to another what was on its way to a worker that died', async () => {
    const url = await entrance.current.open('127.0.0.1', 0);
    const [one, other] = [worker(1), worker(2)];
    entrance.current.join(one);
    await clientsOf(url, 1);
    const socket = await one.next();
    entrance.current.left(one);
    entrance.current.join(other);
    expect(await other.next()).toBe(socket);
    expect(socket.destroyed).toBe(false);
  });

  it('keeps connections until there is a worker, and ends them when there will be none', async () => {
    const url = await entrance.current.open('127.0.0.1', 0);
    await clientsOf(url, 1);
    const ended = once(clients[0]!, 'close');
    clients[0]!.resume();
    const only = worker(1);
    entrance.current.join(only);
    await only.next();
    entrance.current.close();
    await ended;
  });

  it('lets a worker go when nothing is on its way to it, and the last when nothing waits', async () => {
    const url = await entrance.current.open('127.0.0.1', 0);
    const [one, other] = [worker(1), worker(2)];
    const gone: number[] = [];
    entrance.current.join(one);
    await clientsOf(url, 1);
    await one.next();
    entrance.current.leave(one, false, () => gone.push(1));
    expect(gone).toEqual([]);
    await clientsOf(url, 2);
    entrance.current.taken(one);
    expect([gone, one.handed.length]).toEqual([[1], 1]);
    entrance.current.join(other);
    await other.next();
    entrance.current.leave(other, true, () => gone.push(2));
    entrance.current.taken(other);
    await expect.poll(() => other.handed.length).toBe(2);
    expect(gone).toEqual([1]);
    entrance.current.taken(other);
    await expect.poll(() => gone).toEqual([1, 2]);
    await expect(clientsOf(url, 1)).rejects.toThrow('ECONNREFUSED');
  });
});
