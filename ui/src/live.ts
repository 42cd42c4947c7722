/** The event stream: what the page knows of the last ten minutes, kept to that, and whether it still hears. */
import type {
  BoardEvent,
  Dot,
  ExpertNow,
  Frame,
  History,
  Layout,
  Second,
} from '../../src/serving/board/wire.ts';
import * as api from './api.ts';
import { eventsOf } from './events.ts';

const KEPT_SECONDS = 600;
const DOTS_MS = 120_000;
const MOST_DOTS = 1_500;
/** Moves of ten minutes, an event every ten seconds, and fifty others. */
const MOST_EVENTS = 110;
const AGAIN_MS = 2_000;
/** A server sends something every second. */
const SILENCE_MS = 15_000;
const HIDDEN_MS = 30_000;
const RELOADED = 'expert-router-reloaded-for';

export interface SeenDot {
  readonly at: number;
  readonly serial: number;
  readonly dot: Dot;
}

export interface Live {
  status: 'connecting' | 'live' | 'lost' | 'refused';
  /** Why there are no events, where the server says so. */
  refusal: api.Refused | null;
  seconds: Second[];
  events: BoardEvent[];
  dots: SeenDot[];
  experts: Readonly<Record<string, ExpertNow>>;
  layout: Layout | null;
  /** Milliseconds since 1970, by the server's clock. */
  now: number;
}

export const live: Live = {
  status: 'connecting',
  refusal: null,
  seconds: [],
  events: [],
  dots: [],
  experts: {},
  layout: null,
  now: 0,
};

const listeners = new Set<() => void>();
/** What to do where the server does not know the viewer; null while no events are wanted. */
let signedOut: (() => void) | null = null;
let stream: AbortController | null = null;
let dots = 0;

export function onLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The seconds in which clusters were those of the router model in force. */
export function secondsOfModel(): readonly Second[] {
  const since = live.events.findLast(({ kind }) => kind === 'model')?.at ?? 0;
  return live.seconds.filter(({ at }) => at * 1000 >= since);
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** @param unknown called where the server does not know the viewer (any more) */
export function connect(unknown: () => void): void {
  signedOut = unknown;
  stream?.abort();
  stream = new AbortController();
  void listen(stream.signal);
}

export function disconnect(): void {
  signedOut = null;
  stream?.abort();
  stream = null;
}

let hidden: ReturnType<typeof setTimeout> | undefined;

/** A page that nobody sees for a while lets go of its place among those a server serves, and of one of the browser's connections. */
document.addEventListener('visibilitychange', () => {
  clearTimeout(hidden);
  if (document.hidden)
    hidden = setTimeout(() => {
      stream?.abort();
      stream = null;
    }, HIDDEN_MS);
  else if (stream === null && signedOut) connect(signedOut);
});

/** Hears one stream after another. */
async function listen(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const refusal = await hearAll(signal);
    if (signal.aborted) return;
    if (refusal?.code === 'invalid_api_key') return signedOut?.();
    live.status = refusal === null ? 'lost' : 'refused';
    live.refusal = refusal;
    tell();
    await new Promise((again) => setTimeout(again, AGAIN_MS));
  }
}

/** One stream to its end. @returns why there was none; null where it broke off, or the server could not be reached */
async function hearAll(signal: AbortSignal): Promise<api.Refused | null> {
  const own = new AbortController();
  const silent = (): void => own.abort();
  let watchdog = setTimeout(silent, SILENCE_MS);
  try {
    const response = await api.stream(AbortSignal.any([signal, own.signal]));
    for await (const { name, data } of eventsOf(response)) {
      clearTimeout(watchdog);
      watchdog = setTimeout(silent, SILENCE_MS);
      if (name === 'history') remember(JSON.parse(data) as History);
      else hear(JSON.parse(data) as Frame);
    }
    return null;
  } catch (error) {
    return error instanceof api.Refused ? error : null;
  } finally {
    clearTimeout(watchdog);
  }
}

function remember({ seconds, events }: History): void {
  live.seconds = seconds.slice(-KEPT_SECONDS);
  live.events = events.slice(-MOST_EVENTS);
  tell();
}

function hear(frame: Frame): void {
  reloadForUpgrade(frame.build);
  if (live.layout?.id !== frame.layout) void api.layout().then(takeLayout, () => {});
  const last = live.seconds.at(-1)?.at ?? 0;
  live.seconds = [...live.seconds, ...frame.seconds.filter(({ at }) => at > last)].slice(-KEPT_SECONDS);
  // The first frame and the history tell the same last seconds.
  const fresh = frame.events.filter(
    ({ at, kind, what }) =>
      !live.events.some((one) => one.at === at && one.kind === kind && one.what === what),
  );
  live.events = [...live.events, ...fresh].slice(-MOST_EVENTS);
  live.dots = [
    ...live.dots.filter(({ at }) => frame.now - at < DOTS_MS),
    ...frame.dots.map((dot) => ({ at: frame.now, serial: dots++, dot })),
  ].slice(-MOST_DOTS);
  live.experts = frame.experts;
  live.now = frame.now;
  live.status = 'live';
  tell();
}

/** Clusters are numbers of one router model: dots of another mean nothing here. */
function takeLayout(layout: Layout): void {
  if (live.layout?.model.id !== layout.model.id) live.dots = [];
  live.layout = layout;
  tell();
}

/** The server has another page by now. Tried once for each, so that a proxy's old copy starts no circle. */
function reloadForUpgrade(build: string): void {
  const own = document.querySelector<HTMLScriptElement>('script[type=module]')?.src.split('/').at(-1);
  if (own === undefined || build === '' || own === build || !own.startsWith('index-')) return;
  try {
    if (sessionStorage.getItem(RELOADED) === build) return;
    sessionStorage.setItem(RELOADED, build);
  } catch {
    return;
  }
  location.reload();
}
