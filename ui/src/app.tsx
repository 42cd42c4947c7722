/** The frame around the views: navigation, connection, language and theme. */
import { useEffect, useState } from 'preact/hooks';
import type { Viewer } from '../../src/serving/board/wire.ts';
import icon from '../icon.svg';
import * as api from './api.ts';
import { connect, disconnect, live, onLive } from './live.ts';
import { useLive } from './parts/bits.tsx';
import { Conversations } from './views/conversations.tsx';
import { Decide } from './views/decide.tsx';
import { Experts } from './views/experts.tsx';
import { TopicMap } from './views/map.tsx';
import { Now } from './views/now.tsx';
import { Reports } from './views/reports.tsx';
import { Requests } from './views/requests.tsx';
import { SignIn } from './views/sign-in.tsx';
import { Topics } from './views/topics.tsx';
import { Trace } from './views/trace.tsx';
import { WhatIf } from './views/what-if.tsx';
import { language, speak, words } from './words/index.ts';

const VIEWS = {
  now: Now,
  decide: Decide,
  map: TopicMap,
  requests: Requests,
  conversations: Conversations,
  experts: Experts,
  topics: Topics,
  'what-if': WhatIf,
  reports: Reports,
} as const;
type View = keyof typeof VIEWS;

const THEME = 'expert-router-theme';
const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

export function App() {
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [[view, rest], setPlace] = useState(placeNow);
  const [, draw] = useState(0);

  // Experts have their colours from the layout.
  useEffect(() => {
    let known = live.layout;
    return onLive(() => {
      if (live.layout === known) return;
      known = live.layout;
      draw((n) => n + 1);
    });
  }, []);

  const look = async (): Promise<void> => {
    const found = await api.viewer().catch(() => null);
    if (found === null) {
      setTimeout(() => void look(), 2_000);
      return;
    }
    setViewer(found);
    if (found.login) disconnect();
    else connect(() => void look());
  };
  useEffect(() => {
    speak(language());
    wear(themeKept());
    void look();
    const move = (): void => setPlace(placeNow());
    addEventListener('hashchange', move);
    return () => removeEventListener('hashchange', move);
  }, []);

  // A phone's width has no room for all of them.
  useEffect(() => {
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [view, viewer]);

  const text = words();
  document.title = `${text.nav[view]} · ${text.title}`;
  if (viewer === null) return null;
  if (viewer.login) return <SignIn onSigned={() => void look()} />;
  const Shown = VIEWS[view];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {text.skip}
      </button>
      <header>
        <a class="brand" href="#/now">
          <img src={icon} alt="" width="22" height="22" />
          {text.title}
        </a>
        <nav aria-label={text.views}>
          {(Object.keys(VIEWS) as View[]).map((name) => (
            <a key={name} href={`#/${name}`} aria-current={name === view ? 'page' : undefined}>
              {text.nav[name]}
            </a>
          ))}
        </nav>
        <div class="settings">
          <Status />
          <select
            aria-label={text.language}
            value={language()}
            onChange={({ currentTarget }) => {
              speak(currentTarget.value as 'en' | 'ja');
              draw((n) => n + 1);
            }}
          >
            <option value="en">English</option>
            <option value="ja">日本語</option>
          </select>
          <select
            aria-label={text.theme.label}
            value={themeKept()}
            onChange={({ currentTarget }) => {
              wear(currentTarget.value as Theme);
              draw((n) => n + 1);
            }}
          >
            {THEMES.map((theme) => (
              <option key={theme} value={theme}>
                {text.theme[theme]}
              </option>
            ))}
          </select>
          {viewer.name === null ? null : (
            <button
              type="button"
              class="quiet"
              title={viewer.name}
              onClick={() => void api.post('logout', {}).finally(() => void look())}
            >
              {text.signOut}
            </button>
          )}
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <h1 class={view === 'now' ? 'hidden' : undefined}>
          {rest === '' ? text.nav[view] : text.trace.title}
        </h1>
        {view === 'requests' && rest !== '' ? (
          <Trace id={rest} />
        ) : (
          <Shown key={`${view} ${language()}`} viewer={viewer} />
        )}
      </main>
      <footer>
        {text.title} · {text.version(viewer.version)}
      </footer>
    </>
  );
}

function Status() {
  useLive();
  const text = words().status;
  return (
    <span class={`status ${live.status}`} role="status">
      <i aria-hidden="true" />
      {text[live.status]}
    </span>
  );
}

/** The address after `#/`: a view, and what of it. */
function placeNow(): [View, string] {
  const [view = '', rest = ''] = location.hash.replace(/^#\/?/, '').split('/');
  return [Object.hasOwn(VIEWS, view) ? (view as View) : 'now', rest];
}

function themeKept(): Theme {
  try {
    const kept = localStorage.getItem(THEME);
    return THEMES.find((theme) => theme === kept) ?? 'auto';
  } catch {
    return 'auto';
  }
}

function wear(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(THEME, theme);
  } catch {} // it holds until the page is closed
}
