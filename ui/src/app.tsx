/** The frame around the views: navigation, connection, language and theme. */
import { useEffect, useState } from 'preact/hooks';
import type { Viewer } from '../../src/serving/board/wire.ts';
import icon from '../icon.svg';
import * as api from './api.ts';
import { clock } from './format.ts';
import { connect, disconnect, live, onLive } from './live.ts';
import { Empty, useLive } from './parts/bits.tsx';
import { SignIn } from './views/sign-in.tsx';
import { loadView, placeNow, VIEWS, type View, type ViewProps, viewOf } from './views.ts';
import { type Language, language, speak, words } from './words/index.ts';

const THEME = 'expert-router-theme';
const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

export function App() {
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [[view, rest], setPlace] = useState(placeNow);
  const [ended, setEnded] = useState(false);
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
    else
      connect(() => {
        setEnded(true);
        void look();
      });
  };
  useEffect(() => {
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
  if (viewer.login) return <SignIn ended={ended} onSigned={() => void look()} />;
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
          {VIEWS.map((name) => (
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
              const done = (): void => draw((n) => n + 1);
              void speak(currentTarget.value as Language).then(done, done);
            }}
          >
            <option value="en">English</option>
            <option value="ja">日本語</option>
          </select>
          <select
            aria-label={text.theme.label}
            title={text.theme.label}
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
              onClick={() => {
                setEnded(false);
                void api.post('logout', {}).finally(() => void look());
              }}
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
        <Connection />
        <Shown key={`${view} ${language()}`} view={view} viewer={viewer} rest={rest} />
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

/** Why nothing new comes, and what to do; nothing while all is well. */
function Connection() {
  useLive();
  const text = words().connection;
  const { status, refusal, now } = live;
  if (status !== 'lost' && status !== 'refused') return null;
  const why =
    refusal === null
      ? text.lost
      : refusal.code === 'overloaded'
        ? text.full
        : words().failed(refusal.message);
  return (
    <p class="banner" role="alert">
      {[why, text.again, now > 0 ? text.stale(clock(now)) : ''].join(words().gap)}
    </p>
  );
}

/** A view, once its code is here. */
function Shown({ view, ...props }: { view: View } & ViewProps) {
  const [failed, setFailed] = useState(false);
  const [, draw] = useState(0);
  useEffect(() => {
    if (viewOf(view)) return;
    loadView(view).then(
      () => draw((n) => n + 1),
      () => setFailed(true),
    );
  }, [view]);
  const Loaded = viewOf(view);
  if (Loaded) return <Loaded {...props} />;
  if (!failed) return null;
  const { notLoaded, loadAgain } = words();
  return (
    <Empty>
      {notLoaded}{' '}
      <button type="button" class="quiet" onClick={() => location.reload()}>
        {loadAgain}
      </button>
    </Empty>
  );
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
