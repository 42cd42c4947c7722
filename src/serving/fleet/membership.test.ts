import { expect, it } from 'vitest';
import type { Fleet } from './fleet.ts';
import type { ExpertGroup } from './group.ts';
import { Membership } from './membership.ts';
import type { Replica } from './replica.ts';

it('ends with what was found last, whenever that was told', async () => {
  for (let microtasks = 0; microtasks < 30; microtasks++) {
    const replicas: { name: string; leaving: boolean }[] = [];
    const group = { id: 'code', replicas } as unknown as ExpertGroup;
    const fleet = {
      join: async (_group: ExpertGroup, replica: Replica) => void replicas.push(replica as never),
      part: () => {},
    } as unknown as Fleet;
    const membership = new Membership(fleet, group, {
      make: async ({ url }) => ({ name: url, leaving: false, stay: () => {} }) as unknown as Replica,
      log: () => {},
    });
    const at = (url: string) => ({ url, weight: 1 });
    const first = membership.follow([at('http://a')]);
    for (let n = 0; n < microtasks; n++) await Promise.resolve();
    void membership.follow([at('http://a'), at('http://b')]);
    await first;
    await new Promise(setImmediate);
    expect(replicas.map(({ name }) => name)).toEqual(['http://a', 'http://b']);
  }
});
