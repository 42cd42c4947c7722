/** What this process tells other gateways, and hears of them, where the config has a Redis. */
import { randomUUID } from 'node:crypto';
import { type Demand, isActive } from '../../deciding/scaling/demand.ts';
import type { Config } from '../config/schema.ts';
import { take, toTell } from '../fleet/told.ts';
import type { Conversations } from '../gateway/conversations.ts';
import { MOST_EXPERTS, MOST_REPLICAS } from '../hints/hint.ts';
import { Hints } from '../hints/hints.ts';
import type { Demands } from '../scaler/demands.ts';
import type { Setup } from './setup.ts';
import type { World } from './world.ts';

/** Null without a Redis. */
export async function sharing(
  { limits: { redis } }: Config,
  {
    setup,
    conversations,
    demands,
    clock,
    log,
  }: Pick<World, 'clock' | 'log'> & {
    setup: () => Setup;
    conversations: Conversations;
    demands: Demands;
  },
): Promise<Hints | null> {
  if (redis === undefined) return null;
  // Loaded here alone: most gateways have no Redis.
  const { RedisChannel } = await import('../hints/redis-channel.ts');
  const serving = () => setup().current();
  const hints = new Hints({
    channel: new RedisChannel(redis, log),
    from: randomUUID(),
    serving: () => {
      const { digest, context } = serving();
      return { config: digest, routerModel: context.gateway.router.model.id };
    },
    replicas: () => toTell(serving().context.gateway.fleet, MOST_REPLICAS),
    demands: () => toldOf(demands),
    onReplicas: (told) => take(serving().context.gateway.fleet, told),
    onMoves: (moves) => conversations.heard(moves),
    now: clock.monotonic,
    log,
  });
  const before = conversations.onMove;
  conversations.onMove = (move) => {
    before(move);
    hints.moved(move);
  };
  return hints;
}

/** Of experts that have something to do or had lately: of the others there is nothing to add up. */
function toldOf(demands: Demands): Readonly<Record<string, Demand>> {
  const all = demands.experts.map((expert) => [expert, demands.own(expert)!] as const);
  return Object.fromEntries(all.filter(([, demand]) => isActive(demand)).slice(0, MOST_EXPERTS));
}
