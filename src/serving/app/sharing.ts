/** What this process tells other gateways, and hears of them, where the config has a Redis. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { take, toTell } from '../fleet/told.ts';
import type { Conversations } from '../gateway/conversations.ts';
import { MOST_REPLICAS } from '../hints/hint.ts';
import { Hints } from '../hints/hints.ts';
import type { Setup } from './setup.ts';
import type { World } from './world.ts';

/** Null without a Redis. */
export async function sharing(
  { limits: { redis } }: Config,
  {
    setup,
    conversations,
    clock,
    log,
  }: Pick<World, 'clock' | 'log'> & { setup: () => Setup; conversations: Conversations },
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
