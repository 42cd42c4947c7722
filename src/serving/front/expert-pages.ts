/** The experts, as policies see them. */
import { type Health, healthText } from '../experts/expert.ts';
import type { Replica } from '../fleet/replica.ts';
import { replicaLabel } from '../fleet/replica-label.ts';
import { mayAct } from './auth.ts';
import type { Exchange, Gateways, RouteContext } from './handler.ts';
import type { Redaction } from './redaction.ts';
import { sendJson } from './wire.ts';

/** Every expert with its load and replicas, as the policies see them; where they are, for operators alone. */
export async function listExperts(
  { gateway, gateways, redaction }: RouteContext,
  { response, caller }: Exchange,
): Promise<void> {
  const hidden = mayAct('operate', caller) ? null : redaction;
  const data = [...gateway.fleet.groups.values()].map((group) => {
    const load = group.load();
    return {
      id: group.id,
      object: 'expert',
      available: load.available,
      starts_in: load.startsIn === undefined ? null : round1(load.startsIn),
      drained: group.drained,
      in_flight: group.inFlight,
      queued: load.queued,
      context: group.offers.context,
      outstanding_tokens: load.outstandingTokens,
      tokens_per_second: round1(load.tokensPerSecond),
      replicas: group.replicas.map((replica) => ({
        name: hidden ? replicaLabel(group, replica) : replica.name,
        kind: replica.expert.kind,
        health: healthBody(replica.health, hidden),
        breaker: replica.breaker,
        drained: replica.drained,
        in_flight: replica.inFlight,
        limit: Number.isFinite(replica.limit) ? replica.limit : null,
        weight: replica.weight,
        tokens_per_second: round1(replica.tokensPerSecond),
        engine: replica.engine && { name: replica.engine.engine, version: replica.engine.version },
        adapter: replica.expert.adapter
          ? { resident: replica.expert.adapter.resident, load_seconds: round1(replica.adapterMs / 1000) }
          : null,
        reported: reportBody(replica, group.others(replica), hidden),
      })),
    };
  });
  sendJson(response, 200, { object: 'list', data, ...gatewaysBody(gateways()) });
}

/** What serves, here and at the other gateways that share hints. */
function gatewaysBody({ config, routerModel, peers }: Gateways): Record<string, unknown> {
  return {
    config,
    router_model: routerModel,
    gateways: peers.map((peer) => ({
      id: peer.from,
      config: peer.config,
      router_model: peer.routerModel,
      same: peer.same,
      seconds_ago: round1(peer.secondsAgo),
    })),
  };
}

/** `detail` is for people; a failure stays beside it as a value, or as its kind where it may not be read whole. */
function healthBody(health: Health, redaction: Redaction | null): Record<string, unknown> {
  const text = healthText(health);
  const detail = redaction?.words(text) ?? text;
  const failure =
    health.state === 'down' ? { failure: redaction ? { kind: health.failure.kind } : health.failure } : {};
  return { state: health.state, ...(detail === '' ? {} : { detail }), ...failure };
}

/** What the engine says of its load, how old that is, and what is made of it. */
function reportBody(replica: Replica, others: number, redaction: Redaction | null): Record<string, unknown> {
  const { seen, problem } = replica.report;
  return {
    state: replica.reportState,
    running: seen?.load.running ?? null,
    waiting: seen?.load.waiting ?? null,
    kv_cache_use: seen?.load.kvCacheUse ?? null,
    age_seconds: replica.reportAge === null ? null : round1(replica.reportAge / 1000),
    others: round1(others),
    full: replica.full,
    problem: problem && redaction ? redaction.words(problem) : problem,
  };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
