/**
 * What one process remembers for the dashboard: the last minutes in seconds, the latest requests and events. All of it
 * is bounded; a request costs a few additions whether anybody watches or not.
 */
import type { Drift } from '../../deciding/model/drift.ts';
import type { OpenNote, RequestNote } from '../front/request-note.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Routed } from '../gateway/router.ts';
import { isHedge } from '../telemetry/hedges.ts';
import { dotOf, LazyChoice } from './choice.ts';
import { FleetChanges } from './fleet-changes.ts';
import { Latest } from './latest.ts';
import { Moves } from './moves.ts';
import { KEPT_SECONDS, Seconds } from './seconds.ts';
import type { BoardEvent, Choice, Question, Row, Tally, Told } from './wire.ts';

const MOST_ROWS = 1_000;
const MOST_EVENTS = 200;
/** Running requests that are told of; all of them count. */
const MOST_RUNNING = 200;
/** Of a second, by one process. */
const MOST_DOTS = 40;
const NOTHING: Told = { seconds: [], events: [], dots: [], rows: [], shadow: null };

/** A request under way. Emptied at its end: tables that the map has outgrown hold on to what was in them. */
interface Running {
  note: OpenNote | null;
  choice: LazyChoice | null;
}

export class Board {
  readonly #gateway: () => Gateway;
  readonly #now: () => number;
  readonly #secret: string;
  readonly #seconds = new Seconds();
  readonly #running = new Map<number, Running>();
  readonly #rows = new Latest<{ readonly note: RequestNote; readonly choice: LazyChoice | null }>(MOST_ROWS);
  readonly #events: BoardEvent[] = [];
  readonly #dots = new Latest<{ readonly second: number; readonly choice: LazyChoice }>(2 * MOST_DOTS);
  readonly #fleet = new FleetChanges();
  readonly #moves = new Moves();
  readonly #drift: () => Pick<Drift, 'moved' | 'stranger'>;
  #drifted = false;
  #seen: Gateway | null = null;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param gateway the one in force
   * @param now milliseconds since 1970
   * @param secret hides what conversations begin with
   * @param drift of the latest requests from the router model in force
   */
  constructor(
    gateway: () => Gateway,
    now: () => number,
    secret: string,
    drift: () => Pick<Drift, 'moved' | 'stranger'>,
  ) {
    this.#drift = drift;
    this.#secret = secret;
    this.#gateway = gateway;
    this.#now = now;
    this.#timer = setInterval(() => this.look(), 1_000).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A request has its expert. */
  opened(routed: Routed, note: OpenNote): void {
    const now = this.#now();
    const { fleet, router } = this.#gateway();
    const cold = fleet.groups.get(routed.decision.expert)?.startsIn !== undefined;
    const choice = new LazyChoice(routed, router.territory, cold, this.#secret);
    this.#running.set(note.serial, { note, choice });
    this.#seconds.chosen(now, choice.cluster, choice.outside);
    this.#seconds.add(now, choice.expert, { chosen: 1 });
    this.#dots.add(now, { second: Math.floor(now / 1000), choice }, choice.expert !== choice.home);
  }

  ended(note: RequestNote): void {
    const running = this.#running.get(note.serial);
    const choice = running?.choice ?? null;
    if (running) {
      this.#running.delete(note.serial);
      running.note = null;
      running.choice = null;
    }
    if (choice === null && !isAsking(note)) return;
    const now = this.#now();
    this.#moveOf(now, note);
    if (choice) this.#tally(now, note, choice);
    else this.#seconds.refused(now);
    this.#rows.add(now, { note, choice }, isRemarkable(note, choice));
  }

  /** Notes loads, and what has changed since the last look. Called once a second. */
  look(): void {
    const now = this.#now();
    const gateway = this.#gateway();
    if (this.#seen && this.#seen !== gateway) this.#event(now, reloaded(this.#seen, gateway));
    this.#seen = gateway;
    const loads: Record<string, [number, number]> = {};
    for (const [id, group] of gateway.fleet.groups) {
      const inFlight = group.replicas.reduce((sum, replica) => sum + replica.own.inFlight, 0);
      if (inFlight > 0 || group.queued > 0) loads[id] = [inFlight, group.queued];
    }
    for (const change of this.#fleet.since(gateway.fleet)) this.#event(now, change);
    this.#driftSeen(now, gateway.router.model.id);
    for (const event of this.#moves.over(now)) this.#put(event);
    this.#forgetMoves(now);
    this.#seconds.load(now, loads);
  }

  #moveOf(now: number, { livedAt, expert, firstMs, promptTokens, cachedTokens }: RequestNote): void {
    if (livedAt === null || expert === null || expert === livedAt || firstMs === null) return;
    const reread = promptTokens === null || cachedTokens === null ? null : promptTokens - cachedTokens;
    this.#moves.add(now, livedAt, expert, reread);
  }

  /** Those beyond what charts show would take the place of what happens seldom. */
  #forgetMoves(now: number): void {
    const oldest = this.#events.findIndex(({ kind }) => kind === 'moved');
    if (oldest >= 0 && this.#events[oldest]!.at < now - KEPT_SECONDS * 1000) this.#events.splice(oldest, 1);
  }

  #driftSeen(now: number, model: string): void {
    const { moved, stranger } = this.#drift();
    const drifted = moved || stranger;
    if (drifted && !this.#drifted) this.#event(now, { kind: 'drift', what: model });
    this.#drifted = drifted;
  }

  answer(question: Question): Told {
    switch (question.kind) {
      case 'since':
        return { ...NOTHING, ...this.#since(question.second) };
      case 'history':
        return { ...NOTHING, seconds: this.#seconds.since(0, this.#now()), events: this.#events };
      case 'shadow':
        return { ...NOTHING, shadow: this.#gateway().shadow?.counts ?? null };
      case 'requests':
        return {
          ...NOTHING,
          rows: [...this.#open(MOST_RUNNING), ...this.#rows.kept.slice(-question.most).map(ended)],
        };
      case 'trace':
        return {
          ...NOTHING,
          rows: [
            ...this.#open(Number.POSITIVE_INFINITY).filter(({ trace }) => trace === question.id),
            ...this.#rows.kept.filter(({ note }) => note.traceId === question.id).map(ended),
          ],
        };
    }
  }

  #since(second: number): Pick<Told, 'seconds' | 'events' | 'dots'> {
    const now = this.#now();
    const current = Math.floor(now / 1000);
    return {
      seconds: this.#seconds.since(second, now).slice(-KEPT_SECONDS),
      events: this.#events.filter(({ at }) => at >= (second + 1) * 1000 && at < current * 1000),
      dots: this.#dots.kept
        .filter((one) => one.second > second && one.second < current)
        .slice(-MOST_DOTS)
        .map(({ choice }) => dotOf(choice.whole)),
    };
  }

  #open(most: number): readonly Row[] {
    const rows: Row[] = [];
    for (const { note, choice } of this.#running.values()) {
      if (rows.length >= most) break;
      if (note && choice) rows.push(rowOf(note.soFar(), choice.whole, true));
    }
    return rows;
  }

  #tally(now: number, note: RequestNote, choice: LazyChoice): void {
    const { firstMs, totalMs, completionTokens, asked, expectedMs } = note;
    const expert = note.expert ?? choice.expert;
    const wait = asked[0] && note.decidedMs !== null ? asked[0].fromMs - note.decidedMs : null;
    const hedges = asked.filter((_, place) => isHedge(asked, place)).length;
    const tally: Partial<Tally> = {
      ended: 1,
      failed: Number(note.error !== null),
      left: Number(note.error === null && !note.whole),
      spilled: Number(expert !== choice.home),
      retries: Math.max(0, note.tries - 1 - hedges),
      hedges,
      input: note.promptTokens ?? 0,
      cacheTold: note.cachedTokens === null ? 0 : (note.promptTokens ?? 0),
      cached: note.cachedTokens ?? 0,
      output: completionTokens ?? 0,
      microUsd: (note.usd ?? 0) * 1e6,
      unpriced: Number(note.usd === null && note.promptTokens !== null && completionTokens !== null),
      ...(wait === null || expectedMs === null ? {} : { waits: 1, expectedMs, waitedMs: wait }),
      ...(firstMs === null ? {} : { firsts: 1, firstMs }),
    };
    this.#seconds.add(now, expert, tally);
    if (firstMs === null) return;
    this.#seconds.first(now, firstMs);
    if (completionTokens !== null && completionTokens > 1)
      this.#seconds.perToken(now, (totalMs - firstMs) / (completionTokens - 1));
  }

  #event(at: number, event: Omit<BoardEvent, 'at'>): void {
    this.#put({ at, ...event });
  }

  #put(event: BoardEvent): void {
    this.#events.push(event);
    if (this.#events.length > MOST_EVENTS) this.#events.shift();
  }
}

function reloaded(before: Gateway, after: Gateway): Omit<BoardEvent, 'at'> {
  const { id } = after.router.model;
  return { kind: before.router.model.id === id ? 'reload' : 'model', what: id };
}

/** Whether it is one that somebody looks for: it failed, was tried again, or was answered away from home. */
function isRemarkable({ error, tries, expert, whole }: RequestNote, choice: LazyChoice | null): boolean {
  return error !== null || tries > 1 || !whole || expert !== (choice?.home ?? null);
}

/** Not meant for an expert, although posted. */
const OURS = /^\/v1\/(?:route|feedback|reload|experts\/|retraining|shadow\/)/;

/** Whether it was meant for an expert: pages of ours and questions about experts are no requests. */
function isAsking({ method, path }: RequestNote): boolean {
  return method === 'POST' && path !== null && path.startsWith('/v1/') && !OURS.test(path);
}

function ended({ note, choice }: { note: RequestNote; choice: LazyChoice | null }): Row {
  return rowOf(note, choice?.whole ?? null, false);
}

function rowOf(note: RequestNote, choice: Choice | null, running: boolean): Row {
  const { traceId, promptTokens, cachedTokens, completionTokens } = note;
  return {
    trace: traceId,
    at: note.at,
    running,
    stream: note.stream,
    livedAt: note.livedAt,
    key: note.key,
    path: note.path,
    status: note.status,
    whole: note.whole,
    error: note.error,
    tries: note.tries,
    asked: note.asked,
    expert: note.expert,
    replica: note.replica,
    input: promptTokens,
    cached: cachedTokens,
    output: completionTokens,
    usd: note.usd,
    decidedMs: note.decidedMs,
    expectedMs: note.expectedMs,
    firstMs: note.firstMs,
    totalMs: note.totalMs,
    choice,
  };
}
