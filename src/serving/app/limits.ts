/** The limits of a config: where they are counted, and whom they concern. */
import { UserError } from '../../core/errors.ts';
import type { Config } from '../config/schema.ts';
import { EmbeddedStore } from '../limits/embedded-store.ts';
import type { Bounds } from '../limits/ledger.ts';
import { type LimitedKey, Limiter } from '../limits/limiter.ts';
import type { Price } from '../limits/price.ts';
import type { LimitStore } from '../limits/store.ts';
import type { World } from './world.ts';

/** Milliseconds that Redis has to answer at a start. */
const START_MS = 5000;

/** Whether any request is counted. */
export function hasLimits({ keys, teams }: Pick<Config, 'keys' | 'teams'>): boolean {
  return keys.some((key) => key.limits !== undefined || teams.some(({ name }) => name === key.team));
}

/** Rejects with `UserError` where Redis does not answer or the folder cannot be used. */
export async function openLimits({ limits }: Config, { log, clock }: World): Promise<LimitStore> {
  if (limits.redis === undefined) return EmbeddedStore.open({ dir: limits.dir ?? null, clock, log });
  // Loaded here alone: most gateways have no Redis.
  const { RedisStore } = await import('../limits/redis-store.ts');
  const store = new RedisStore({ url: limits.redis, deadline: limits.deadline, log });
  try {
    await store.ready(START_MS);
    return store;
  } catch (error) {
    if (limits.when_away === 'allow') return store;
    await store.close();
    throw new UserError(
      `The Redis of the limits does not answer at ${withoutPassword(limits.redis)}: start it, or correct limits.redis.`,
      { cause: error },
    );
  }
}

/** Null where nothing is limited. @param standIn counts while the store is away */
export function limiterOf(
  config: Config,
  clusters: number,
  { store, standIn }: { readonly store: LimitStore | null; readonly standIn: LimitStore | null },
): Limiter | null {
  if (store === null) return null;
  const { keys, teams, limits } = config;
  return new Limiter({
    store,
    standIn: limits.when_away === 'allow' ? standIn : null,
    keys: keys.map(
      ({ name, team = null, limits: own }): LimitedKey => ({
        name,
        team,
        bounds: own ? boundsOf(own) : null,
      }),
    ),
    teams: new Map(teams.map(({ name, limits: shared }) => [name, boundsOf(shared)])),
    prices: pricesOf(config),
    clusters,
    replicas: limits.replicas,
    lifeMs: limits.reservation,
  });
}

function boundsOf(limits: Config['teams'][number]['limits']): Bounds {
  const micro = (dollars: number | undefined): number | null =>
    dollars === undefined ? null : Math.round(dollars * 1e6);
  return {
    requests: limits.requests_per_minute ?? null,
    tokens: limits.tokens_per_minute ?? null,
    concurrent: limits.concurrent ?? null,
    day: micro(limits.usd_per_day),
    month: micro(limits.usd_per_month),
  };
}

export function pricesOf({ experts }: Config): ReadonlyMap<string, Price> {
  return new Map(
    experts.flatMap(({ id, price }): [string, Price][] => (price === undefined ? [] : [[id, price]])),
  );
}

/** In sentences: experts that keys with a budget cannot use. */
export function priceWarnings(config: Config): readonly string[] {
  const { keys, teams } = config;
  const isBudget = (limits?: {
    usd_per_day?: number | undefined;
    usd_per_month?: number | undefined;
  }): boolean => limits?.usd_per_day !== undefined || limits?.usd_per_month !== undefined;
  const budgets = [...keys, ...teams].filter(({ limits }) => isBudget(limits));
  if (budgets.length === 0) return [];
  const prices = pricesOf(config);
  return config.experts
    .filter(({ id }) => !prices.has(id))
    .map(({ id }) => `'${id}' has no price, so keys with a budget cannot use it.`);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}
