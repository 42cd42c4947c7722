/**
 * The fleet in time: users ask, the gateway's own decision chooses, replicas answer. Discrete events, exact order,
 * one seed.
 */
import { MinHeap } from '../../core/heap.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import {
  chosenFirst,
  type Decision,
  decide,
  type Standing,
  standingAt,
  standingOf,
} from '../../deciding/routing/decide.ts';
import type { Candidate, LoadSnapshot, PolicyContext, RequestView } from '../../deciding/routing/policy.ts';
import type { ReplicaSnapshot } from '../../deciding/routing/replica.ts';
import type { Territory } from '../../deciding/routing/territory.ts';
import { type StepCost, stepCost } from '../cost/step.ts';
import type { Deployment } from '../deployment.ts';
import type { ReplicaListener } from '../engine/replica.ts';
import type { GenerationRequest } from '../engine/sequence.ts';
import { arrivalTimes, gap } from '../workload/arrivals.ts';
import { drawCluster } from '../workload/clusters.ts';
import { Conversations } from '../workload/conversations.ts';
import { drawLengths, type Lengths, meanLengths } from '../workload/lengths.ts';
import { type Asked, Cohort } from './cohort.ts';
import { FleetExpert, type FleetReplica } from './expert.ts';
import { ExpertTally, type StageMeasures } from './measures.ts';
import { checkScenario, type FleetScenario, type ReplayedRequest } from './scenario.ts';
import { Wakes } from './wakes.ts';

/** A request, and where it is, from question to last token. The engine gets it and hands it back. */
interface Journey extends GenerationRequest, Asked {
  readonly user: number;
  id: number;
  promptTokens: number;
  outputTokens: number;
  asked: number;
}

/** What a kind of prompt means to every expert, found once: loads are those of the moment. */
interface SortedStanding extends Standing {
  readonly byAffinity: readonly Candidate[];
}

function sorted(standing: Standing): SortedStanding {
  return { ...standing, byAffinity: standing.candidates.toSorted((a, b) => b.affinity - a.affinity) };
}

/** Streams of random numbers that must not shift one another. */
const STREAM = { arrivals: 1, lengths: 2, clusters: 3, policy: 4, mean: 5 } as const;

/** Times as long as was measured that users' answers are waited for. */
const CLOSED_PATIENCE = 4;

/** One choice of an expert and a replica, with everything it was made from. */
export interface Choice extends Omit<PolicyContext, 'candidates' | 'byAffinity'> {
  /** Index of the kind of prompt. */
  readonly prompt: number;
  readonly loads: readonly LoadSnapshot[];
  readonly decision: Decision;
  /** Index among the chosen expert's replicas. */
  readonly replica: number;
  readonly replicas: readonly ReplicaSnapshot[];
}

/**
 * @param watch is told every choice, in their order
 * @throws {UserError} for a scenario that cannot be simulated.
 */
export function simulateFleet(scenario: FleetScenario, watch?: (choice: Choice) => void): StageMeasures {
  checkScenario(scenario);
  return new FleetRun(scenario, watch).run();
}

class FleetRun {
  readonly #scenario: FleetScenario;
  readonly #watch: ((choice: Choice) => void) | undefined;
  readonly #territory: Territory;
  readonly #mean: Lengths;
  readonly #end: number;
  readonly #experts: readonly FleetExpert[];
  readonly #byId: ReadonlyMap<string, number>;
  readonly #tallies: readonly ExpertTally[];
  readonly #random: Record<keyof typeof STREAM, Random>;
  readonly #conversations: Conversations | null;
  /** Of all experts, and beside them who listens to each. */
  readonly #replicas: readonly FleetReplica[];
  readonly #listeners: readonly ReplicaListener[];
  readonly #wakes: Wakes;
  /** Closed loop: when each user asks next. Open loop: the next arrival only, refilled from the generator. */
  readonly #questions = new MinHeap<number>();
  readonly #openLoop: Iterator<number> | null;
  /** The latest of each user of a closed loop. */
  readonly #journeys: Journey[] = [];
  /** By kind of prompt, filled when the first of a kind comes. */
  readonly #standings: SortedStanding[] = [];
  readonly #cohort: Cohort;
  /** When the run is given up although requests of the measured time are unanswered. */
  readonly #lastCall: number;
  #now = 0;
  #asked = 0;
  #refused = 0;
  #atHome = 0;

  constructor(scenario: FleetScenario, watch: ((choice: Choice) => void) | undefined) {
    this.#scenario = scenario;
    this.#watch = watch;
    const { turns: _, settled: __, unavailable: ___, ...map } = scenario.prompts;
    this.#territory = { experts: scenario.experts.map(({ id }) => id), ...map };
    this.#end = scenario.warmupSeconds + scenario.seconds;
    // A stream goes on coming meanwhile; users who wait do not, and long answers may take their time.
    const patience = scenario.arrivals.kind === 'closed' ? CLOSED_PATIENCE : 1;
    this.#lastCall = this.#end + patience * scenario.seconds;
    this.#cohort = new Cohort(scenario.warmupSeconds, this.#end);
    const root = seededRandom(scenario.seed);
    const names = Object.keys(STREAM) as (keyof typeof STREAM)[];
    this.#random = Object.fromEntries(names.map((name) => [name, root.fork(STREAM[name])])) as Record<
      keyof typeof STREAM,
      Random
    >;
    this.#mean = meanLengths(scenario.lengths, this.#random.mean, 2000);
    const costs = new Map<Deployment, StepCost>();
    let replicas = 0;
    this.#experts = scenario.experts.map((spec, index) => {
      const cost = costs.get(spec.deployment) ?? stepCost(spec.deployment);
      costs.set(spec.deployment, cost);
      const expert = new FleetExpert(spec, this.#mean, cost, index, replicas);
      replicas += spec.replicas;
      return expert;
    });
    this.#byId = new Map(scenario.experts.map(({ id }, i) => [id, i]));
    this.#tallies = this.#experts.map(() => new ExpertTally(scenario.warmupSeconds, scenario.seconds));
    const { turns = 1 } = scenario;
    const longest = Math.min(...scenario.experts.map(({ deployment }) => deployment.model.maxContext));
    this.#conversations = turns > 1 ? new Conversations(turns, longest) : null;
    this.#replicas = this.#experts.flatMap((expert) => expert.replicas);
    this.#listeners = this.#replicas.map((replica) => this.#listener(replica));
    this.#wakes = new Wakes(replicas);
    this.#openLoop = this.#startArrivals();
  }

  run(): StageMeasures {
    for (;;) {
      const asks = this.#questions.minKey;
      const wakes = this.#wakes.firstTime;
      const now = Math.min(asks, wakes);
      // Nothing left to happen (a trace that has run out) ends the run as the clock does. Whoever asked within the
      // measured time is followed for a while, with the load going on.
      const over = now > this.#end && this.#cohort.open === 0;
      if (over || now > this.#lastCall || now === Number.POSITIVE_INFINITY) return this.#finish();
      this.#now = now;
      // Questions first: who asks at this instant is in the step planned at it.
      if (asks <= wakes) this.#ask(now);
      else this.#wake(now);
    }
  }

  /** Runs that reach beyond the end of the measured time are cut, or their tokens would be missing. */
  #finish(): StageMeasures {
    this.#replicas.forEach(({ engine }, number) => {
      engine.cutRun(Math.max(this.#now, this.#end));
      const next = engine.nextTime;
      if (next === Number.POSITIVE_INFINITY) return;
      this.#now = Math.max(this.#now, next);
      engine.advance(next, this.#listeners[number]!);
    });
    return this.#measures();
  }

  #startArrivals(): Iterator<number> | null {
    const { arrivals, warmupSeconds } = this.#scenario;
    const random = this.#random.arrivals;
    if (arrivals.kind === 'closed') {
      // Users come one after the other; all at once, they would stay in step for minutes.
      const ramp = Math.max(1, warmupSeconds / 4);
      for (let user = 0; user < arrivals.users; user++) this.#questions.push(random.next() * ramp, user);
      return null;
    }
    const times = arrivalTimes(arrivals, this.#lastCall, random);
    this.#refill(times);
    return times;
  }

  #refill(times: Iterator<number>): void {
    const next = times.next();
    if (!next.done) this.#questions.push(next.value, -1);
  }

  #ask(now: number): void {
    const user = this.#questions.pop()!;
    if (this.#openLoop) this.#refill(this.#openLoop);
    const request = this.#nextRequest(user, now);
    if (!request) return;
    const replica = this.#choose(request);
    const { expert } = replica;
    if (!replica.engine.canEverRun(request)) {
      this.#refused += 1;
      this.#askAgain(user, now);
      return;
    }
    if (now >= this.#scenario.warmupSeconds && now < this.#end) this.#tallies[expert.index]!.requests += 1;
    this.#cohort.asked(now);
    expert.began(replica, request);
    replica.engine.submit(request, now);
    this.#wakes.set(expert.firstReplica + replica.index, replica.engine.nextTime);
  }

  #nextRequest(user: number, now: number): Journey | null {
    const id = this.#asked++;
    const { replay, lengths } = this.#scenario;
    let request: ReplayedRequest | undefined;
    if (replay) request = replay[id];
    else {
      const own = drawLengths(lengths, this.#random.lengths);
      request = this.#conversations?.next(user, own) ?? own;
    }
    if (!request) return null;
    return this.#journey(id, user, request, now);
  }

  /** A user's journeys follow one another, in the same memory: millions of them would be garbage. */
  #journey(id: number, user: number, request: ReplayedRequest, asked: number): Journey {
    const { promptTokens, outputTokens, prefix } = request;
    if (prefix) return { id, user, promptTokens, outputTokens, asked, firstToken: 0, prefix };
    const before = this.#journeys[user];
    if (before) {
      before.id = id;
      before.promptTokens = promptTokens;
      before.outputTokens = outputTokens;
      before.asked = asked;
      before.firstToken = 0;
      return before;
    }
    const journey = { id, user, promptTokens, outputTokens, asked, firstToken: 0 };
    if (user >= 0) this.#journeys[user] = journey;
    return journey;
  }

  #choose(journey: Journey): FleetReplica {
    const drawn = drawCluster(this.#scenario.shares, this.#random.clusters);
    const prompt = this.#scenario.replay?.[journey.id]?.prompt ?? drawn;
    const { home, candidates, byAffinity } = this.#standing(prompt);
    const request = this.#viewOf(journey);
    const random = this.#random.policy.next();
    const context = { candidates, byAffinity, request, random, sequence: this.#asked - 1 };
    const watched = this.#watch && this.#decide(prompt, context);
    const chosen = watched?.decision.expert ?? chosenFirst(this.#scenario.policy, context).id;
    if (chosen === candidates[home.expert]!.id) this.#atHome += 1;
    const expert = this.#experts[this.#byId.get(chosen)!]!;
    const replica = expert.replicaFor(request.prefixKey);
    if (watched) {
      const { sequence } = context;
      this.#watch?.({
        request,
        random,
        sequence,
        ...watched,
        prompt,
        replica: replica.index,
        replicas: expert.snapshots(),
      });
    }
    return replica;
  }

  /** The whole decision, from loads that stay as they are: for whoever watches. */
  #decide(
    prompt: number,
    context: PolicyContext,
  ): { readonly loads: readonly LoadSnapshot[]; readonly decision: Decision } {
    const { prompts, policy } = this.#scenario;
    const loads = this.#experts.map((expert) => ({ ...expert.load }));
    return { loads, decision: decide(this.#territory, prompts.turns[prompt]!, loads, policy, context) };
  }

  #standing(prompt: number): SortedStanding {
    this.#standings[prompt] ??= sorted(this.#standingOf(prompt));
    return this.#standings[prompt];
  }

  #standingOf(prompt: number): Standing {
    const { turns, settled, unavailable } = this.#scenario.prompts;
    const [own, known, out] = [turns[prompt]!, settled?.[prompt], unavailable?.[prompt]];
    const loads = this.#experts.map(({ load }, at) =>
      out?.includes(at) ? { ...load, available: false } : load,
    );
    if (!known) return standingOf(this.#territory, own, loads);
    const home = { expert: known.home, before: known.before, reason: 'nearest-cluster' as const };
    return standingAt(this.#territory, own.at(-1)!, loads, home);
  }

  /** A gateway knows how long the prompt is, but the length of the answer only on average. */
  #viewOf({ id, promptTokens, prefix }: Journey): RequestView & { readonly prefixKey: string } {
    return {
      promptTokens,
      outputTokens: this.#mean.outputTokens,
      prefixKey: prefix?.ids[0] === undefined ? ownKey(id) : `prefix ${prefix.ids[0]}`,
      priority: 0,
      deadline: Number.POSITIVE_INFINITY,
    };
  }

  #askAgain(user: number, now: number): void {
    const { arrivals } = this.#scenario;
    if (arrivals.kind !== 'closed') return;
    const think = arrivals.thinkSeconds;
    // A refused question costs a moment even without thinking, or the user would ask for ever at one instant.
    this.#questions.push(now + (think > 0 ? gap(this.#random.arrivals, 1 / think) : 1e-3), user);
  }

  #wake(now: number): void {
    const number = this.#wakes.first;
    const { engine } = this.#replicas[number]!;
    engine.advance(now, this.#listeners[number]!);
    this.#wakes.set(number, engine.nextTime);
  }

  #listener(replica: FleetReplica): ReplicaListener {
    const tally = this.#tallies[replica.expert.index]!;
    return {
      firstToken: (journey: Journey, time) => {
        journey.firstToken = time;
        this.#cohort.firstToken(journey);
      },
      finished: (journey: Journey, time) => {
        replica.expert.ended(replica, journey);
        this.#cohort.answered(journey, journey.outputTokens, this.#now, time);
        this.#askAgain(journey.user, time);
      },
      ran: (load, steps, seconds, time) => {
        const decoded = load.decodeSequences * steps;
        const firsts = load.logitRows - load.decodeSequences;
        const running = load.decodeSequences + load.prefillSequences;
        tally.ran(time - seconds, time, decoded + firsts, running, replica.engine.kvUse);
      },
    };
  }

  #measures(): StageMeasures {
    const { arrivals, seconds } = this.#scenario;
    const experts = this.#experts.map((expert, i) => {
      const preemptions = expert.replicas.reduce((sum, { engine }) => sum + engine.preemptions, 0);
      return this.#tallies[i]!.measures(expert.spec.id, expert.gpus, expert.replicas.length, preemptions);
    });
    const gpus = experts.reduce((sum, e) => sum + e.gpus, 0);
    const cohort = this.#cohort.close(this.#unanswered(), this.#now);
    const overGpus = (value: (e: (typeof experts)[number]) => number): number =>
      experts.reduce((sum, e) => sum + e.gpus * value(e), 0) / gpus;
    return {
      users: arrivals.kind === 'closed' ? arrivals.users : 0,
      requests: cohort.answered,
      errors: this.#refused,
      tokens_per_second: experts.reduce((sum, e) => sum + e.tokens_per_second, 0),
      ttft_ms: cohort.ttft_ms,
      tpot_ms: cohort.tpot_ms,
      e2e_ms: cohort.e2e_ms,
      at_home: this.#asked > 0 ? this.#atHome / this.#asked : 0,
      gpu_utilisation: overGpus((e) => e.gpu_utilisation),
      kv_utilisation: overGpus((e) => e.kv_utilisation),
      seconds,
      unfinished: cohort.requests > 0 ? (cohort.requests - cohort.answered) / cohort.requests : 0,
      little: cohort.little,
      experts,
    };
  }

  *#unanswered(): Generator<Asked & { readonly generated: number }> {
    for (const { engine } of this.#replicas) {
      for (const { request, generated } of engine.progress(this.#now)) {
        const { asked, firstToken } = request as Journey;
        yield { asked, firstToken, generated };
      }
      for (const request of engine.queue()) {
        const { asked, firstToken } = request as Journey;
        yield { asked, firstToken, generated: 0 };
      }
    }
  }
}

/**
 * The key of a request without a recorded prefix, which is a conversation of its own. Its number in two characters: V8
 * keeps digits that it printed lately, so that those of millions of requests would all grow old.
 */
function ownKey(id: number): string {
  return String.fromCharCode(id & 0xffff, id >>> 16);
}
