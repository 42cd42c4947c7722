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

const KEPT_SECONDS = 600;
const DOTS_MS = 120_000;
const MOST_DOTS = 1_500;
/** Moves of ten minutes, an event every ten seconds, and fifty others. */
const MOST_EVENTS = 110;
const AGAIN_MS = 2_000;
const RELOADED = 'expert-router-reloaded-for';

export interface SeenDot {
  readonly at: number;
  readonly serial: number;
  readonly dot: Dot;
}

export interface Live {
  status: 'connecting' | 'live' | 'lost';
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
  seconds: [],
  events: [],
  dots: [],
  experts: {},
  layout: null,
  now: 0,
};

const listeners = new Set<() => void>();
let source: EventSource | null = null;
let dots = 0;
let again: ReturnType<typeof setTimeout> | undefined;

export function onLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** @param signedOut called where the server does not know the viewer (any more) */
export function connect(signedOut: () => void): void {
  clearTimeout(again);
  source?.close();
  source = new EventSource('/ui/api/stream');
  source.addEventListener('history', (event) => {
    const { seconds, events } = JSON.parse(event.data) as History;
    live.seconds = seconds.slice(-KEPT_SECONDS);
    live.events = events.slice(-MOST_EVENTS);
    tell();
  });
  source.onmessage = (event) => hear(JSON.parse(event.data) as Frame);
  source.onerror = () => {
    live.status = 'lost';
    tell();
    // The browser itself connects again after a cut, but not after a refusal.
    if (source?.readyState !== EventSource.CLOSED) return;
    again = setTimeout(() => void retry(signedOut), AGAIN_MS);
  };
}

export function disconnect(): void {
  clearTimeout(again);
  source?.close();
  source = null;
}

async function retry(signedOut: () => void): Promise<void> {
  const viewer = await api.viewer().catch(() => null);
  if (viewer?.login) signedOut();
  else connect(signedOut);
}

function hear(frame: Frame): void {
  reloadForUpgrade(frame.build);
  if (live.layout?.model.id !== frame.model || isOther(frame)) void api.layout().then(takeLayout, () => {});
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

/** Whether a reload has changed who serves. */
function isOther(frame: Frame): boolean {
  const known = live.layout?.experts ?? [];
  const ids = Object.keys(frame.experts);
  return known.length !== ids.length || known.some(({ id }) => !(id in frame.experts));
}

function takeLayout(layout: Layout): void {
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
