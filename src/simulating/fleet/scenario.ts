/** What is simulated: experts on GPUs, the prompts that come, and the policy between them; as plain values. */
import { UserError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import type { BoundPolicy } from '../../deciding/routing/policy.ts';
import { type Deployment, describeDeployment } from '../deployment.ts';
import type { AdmissionRule } from '../engine/scheduler.ts';
import { requireFit } from '../fit.ts';
import type { EngineLimits } from '../memory.ts';
import { maxThroughput, steadyState } from '../steady-state.ts';
import { type Arrivals, type ClosedLoop, checkArrivals } from '../workload/arrivals.ts';
import type { ClusterShares } from '../workload/clusters.ts';
import {
  checkLengths,
  type LengthDistribution,
  type LengthModel,
  meanLengths,
  within,
} from '../workload/lengths.ts';
import type { Prompts } from './prompts.ts';

export interface SimulatedExpertSpec {
  readonly id: string;
  readonly deployment: Deployment;
  readonly replicas: number;
  readonly limits: EngineLimits;
  readonly admission: AdmissionRule;
  readonly chunkedPrefill: boolean;
  /**
   * Requests that the router gives each replica at once, while the others wait at the router; when absent it gives all, and
   * takes for its capacity what cache and batch hold.
   */
  readonly slots?: number;
  /** Output tokens a second that a replica's server relays at most; no limit when absent. */
  readonly frontEnd?: number;
}

/** One request of a replayed trace. */
export interface ReplayedRequest {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Index of its kind of prompt; drawn by the shares when absent. */
  readonly prompt?: number;
  readonly prefix?: { readonly ids: readonly number[]; readonly tokensPerId: number };
}

export interface FleetScenario {
  readonly experts: readonly SimulatedExpertSpec[];
  readonly prompts: Prompts;
  /** Share of each kind of prompt. */
  readonly shares: ClusterShares;
  readonly arrivals: Arrivals;
  readonly lengths: LengthModel;
  /** With trace arrivals: the requests in the order of their times; lengths are then not drawn. */
  readonly replay?: readonly ReplayedRequest[];
  readonly policy: BoundPolicy;
  /** Seconds measured, after `warmupSeconds` that are not. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly seed: number;
  /** Closed loop: questions of a conversation, each carrying all before it; 1 when absent. */
  readonly turns?: number;
}

/**
 * Beyond these a simulation would not end, or not fit a machine's memory: requests of a stream may all be waiting at
 * once, those of users cannot.
 */
export const MOST = { users: 2_000_000, seconds: 1_000_000, arrivals: 30_000_000, answers: 300_000_000 };

/** @throws {UserError} for a scenario that would not end within hours */
function checkSize(scenario: FleetScenario): void {
  const { arrivals, seconds, warmupSeconds } = scenario;
  const most = (field: string, value: number, limit: number, unit: string, cure: string): void => {
    if (value <= limit) return;
    const number = (n: number): string => n.toLocaleString('en-US', { maximumSignificantDigits: 3 });
    throw new UserError(
      `${field}: ${number(value)}${unit} would not end; at most ${number(limit)}${unit}: ${cure}.`,
    );
  };
  const whole = warmupSeconds + seconds;
  if (arrivals.kind === 'closed')
    most('users', arrivals.users, MOST.users, '', 'simulate a tenth of them on a tenth of the GPUs');
  most('seconds', whole, MOST.seconds, ' s', 'ten minutes tell as much');
  if (arrivals.kind === 'closed' && scenario.experts.length > 0) {
    const perSecond = mostAnswersPerSecond(scenario, arrivals);
    const enough = Math.floor(MOST.answers / perSecond);
    const cure = `${enough} s of warm-up and measurement together would`;
    most('seconds', whole * perSecond, MOST.answers, ' answers', cure);
  }
  if (arrivals.kind === 'poisson' || arrivals.kind === 'bursts') {
    const rate = MOST.arrivals / whole;
    const cure = `lower the rate to ${rate < 1 ? rate.toPrecision(2) : Math.floor(rate)}, or measure less`;
    most('arrivals.rate', whole * arrivals.perSecond, MOST.arrivals, ' requests', cure);
  }
}

/** Requests a second that users can make at most: no faster than one alone is answered, nor than all replicas answer. */
function mostAnswersPerSecond(
  { experts, lengths }: FleetScenario,
  { users, thinkSeconds }: ClosedLoop,
): number {
  const mean = meanLengths(lengths, seededRandom(1), 1000);
  let quickest = Number.POSITIVE_INFINITY;
  let capacity = 0;
  for (const { deployment, limits, replicas } of experts) {
    const alone = steadyState(deployment, limits, mean, 1);
    quickest = Math.min(quickest, alone.ttftSeconds + (mean.outputTokens - 1) * alone.tpotSeconds);
    capacity += (replicas * maxThroughput(deployment, limits, mean).tokensPerSecond) / mean.outputTokens;
  }
  return Math.min(users / (quickest + thinkSeconds), capacity);
}

/** @throws {UserError} for a scenario that cannot be simulated, or in which some request could never run. */
export function checkScenario(scenario: FleetScenario): void {
  const positive = (field: string, value: number): void => {
    if (!(value > 0 && Number.isFinite(value)))
      throw new UserError(`${field}: must be above 0, is ${value}.`);
  };
  positive('seconds', scenario.seconds);
  if (!(scenario.warmupSeconds >= 0))
    throw new UserError(`warmup: must not be negative, is ${scenario.warmupSeconds}.`);
  if (scenario.experts.length === 0) throw new UserError('experts: at least one is needed.');
  checkArrivals(scenario.arrivals);
  checkSize(scenario);
  checkLengths(scenario.lengths);
  const longest = longestOf(scenario.lengths);
  for (const { id, deployment, limits, replicas } of scenario.experts) {
    if (!(Number.isInteger(replicas) && replicas > 0))
      throw new UserError(`experts.${id}.replicas: must be a whole number above 0, is ${replicas}.`);
    if (longest > deployment.model.maxContext && !scenario.replay)
      throw new UserError(
        `lengths: requests reach ${longest} tokens, but ${deployment.model.name} was trained for ` +
          `${deployment.model.maxContext}${shortened(scenario.lengths, deployment.model.maxContext)}.`,
      );
    // A replayed trace may hold single requests that are too long: they are refused and counted.
    const budget = requireFit(deployment, limits, scenario.replay ? limits.blockTokens : longest);
    if (budget.kvTokens < longest && !scenario.replay)
      throw new UserError(
        `lengths: ${describeDeployment(deployment)} can never serve ${longest} tokens at once.`,
      );
  }
}

/** What of lengths would be short enough, as a scenario file says it. */
function shortened(lengths: LengthModel, tokens: number): string {
  const cut = within(lengths, tokens);
  if (cut.kind === 'observed' || longestOf(cut) > tokens) return '; shorten prompts or answers';
  const text = (d: LengthDistribution): string =>
    d.kind === 'fixed' ? `${d.tokens}` : `{ median: ${d.median}, p95: ${d.p95}, max: ${d.max} }`;
  return `; this would do: lengths: { prompt: ${text(cut.prompt)}, output: ${text(cut.output)} }`;
}

function longestOf(lengths: LengthModel): number {
  if (lengths.kind === 'observed')
    return lengths.pairs.reduce((most, p) => Math.max(most, p.promptTokens + p.outputTokens), 0);
  const longest = (d: typeof lengths.prompt): number => (d.kind === 'fixed' ? d.tokens : d.max);
  return longest(lengths.prompt) + longest(lengths.output);
}
