/** The views by their addresses. The code of each is loaded when it is first looked at. */
import type { FunctionComponent } from 'preact';
import type { Viewer } from '../../src/serving/board/wire.ts';

export interface ViewProps {
  readonly viewer: Viewer;
  /** Of the address, what follows the view's name. */
  readonly rest: string;
}
type Shown = FunctionComponent<ViewProps>;

const LOADERS = {
  now: async () => (await import('./views/now.tsx')).Now,
  decide: async () => (await import('./views/decide.tsx')).Decide,
  map: async () => (await import('./views/map.tsx')).TopicMap,
  requests: async () => (await import('./views/requests.tsx')).Requests,
  conversations: async () => (await import('./views/conversations.tsx')).Conversations,
  experts: async () => (await import('./views/experts.tsx')).Experts,
  topics: async () => (await import('./views/topics.tsx')).Topics,
  'what-if': async () => (await import('./views/what-if.tsx')).WhatIf,
  reports: async () => (await import('./views/reports.tsx')).Reports,
} as const satisfies Readonly<Record<string, () => Promise<Shown>>>;
export type View = keyof typeof LOADERS;

export const VIEWS = Object.keys(LOADERS) as readonly View[];

/** The address after `#/`: a view, and what of it. */
export function placeNow(): [View, string] {
  const [view = '', rest = ''] = location.hash.replace(/^#\/?/, '').split('/');
  return [Object.hasOwn(LOADERS, view) ? (view as View) : 'now', rest];
}

const loaded = new Map<View, Shown>();

/** Undefined until `loadView` has brought it. */
export function viewOf(name: View): Shown | undefined {
  return loaded.get(name);
}

/** Rejects where the server does not answer, or has another page by now. */
export async function loadView(name: View): Promise<void> {
  loaded.set(name, await LOADERS[name]());
}
