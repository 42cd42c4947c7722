/** Small parts that every view is made of. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ExpertNow } from '../../../src/serving/board/wire.ts';
import { Refused } from '../api.ts';
import { colourOf } from '../colours.ts';
import { onLive } from '../live.ts';
import { words } from '../words/index.ts';

/** Draws again with every frame. */
export function useLive(): void {
  const [, draw] = useState(0);
  useEffect(() => onLive(() => draw((n) => n + 1)), []);
}

/** Whether the screen is a phone's, as the style sheet has it. */
export function useNarrow(): boolean {
  const query = useMemo(() => matchMedia('(max-width: 700px)'), []);
  const [narrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const update = (): void => setNarrow(query.matches);
    query.addEventListener('change', update);
    return () => query.removeEventListener('change', update);
  }, [query]);
  return narrow;
}

interface Asked<T> {
  /** The latest, also where the last question failed. */
  readonly value: T | null;
  readonly error: string | null;
  /** Of the error, where the server told one. */
  readonly code: string | null;
}

/** Asks at once and then again and again, while it is on the page and somebody sees it. */
export function useAsked<T>(ask: () => Promise<T>, everyMs: number, key = ''): Asked<T> {
  const [state, setState] = useState<Asked<T>>({ value: null, error: null, code: null });
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = async (): Promise<void> => {
      try {
        const value = await ask();
        if (!over) setState({ value, error: null, code: null });
      } catch (error) {
        const { message } = error as Error;
        const code = error instanceof Refused ? error.code : null;
        if (!over) setState(({ value }) => ({ value, error: message, code }));
      }
      if (!over && everyMs > 0) timer = setTimeout(seen, everyMs);
    };
    const seen = (): void => {
      if (document.hidden) timer = setTimeout(seen, everyMs);
      else void again();
    };
    void again();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [key, everyMs]);
  return state;
}

export function Expert({ id }: { id: string }) {
  return (
    <span class="expert">
      <i class="spot" style={{ background: colourOf(id) }} aria-hidden="true" />
      <span class="name">{id}</span>
    </span>
  );
}

/** A bar for a share from 0 to 1. */
export function Bar({ share, colour = 'var(--accent)' }: { share: number; colour?: string }) {
  const width = `${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%`;
  return (
    <span class="bar" aria-hidden="true">
      <i style={{ width, background: colour }} />
    </span>
  );
}

/** What went wrong; nothing where nothing did. */
export function Problem({ why }: { why: string | null }) {
  if (why === null) return null;
  return (
    <p class="problem" role="alert">
      {words().failed(why)}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function Card({
  title,
  children,
  wide,
}: {
  title?: string;
  children: ComponentChildren;
  wide?: boolean;
}) {
  return (
    <section class={wide ? 'card wide' : 'card'}>
      {title === undefined ? null : <h2>{title}</h2>}
      {children}
    </section>
  );
}

/** The last values as a line without axes. */
export function Spark({ values, colour = 'var(--accent)' }: { values: readonly number[]; colour?: string }) {
  const high = Math.max(...values, 1e-9);
  const points = values.map(
    (value, i) => `${(i / Math.max(1, values.length - 1)) * 100},${24 - (value / high) * 22}`,
  );
  return (
    <svg class="spark" viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} style={{ stroke: colour }} />
    </svg>
  );
}

/** A table that scrolls by itself where the page is too narrow. */
export function Table({
  head,
  children,
  label,
}: {
  head: readonly (string | { readonly text: string; readonly left: true })[];
  children: ComponentChildren;
  label: string;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((cell) => {
              const { text, left } = typeof cell === 'string' ? { text: cell, left: false } : cell;
              return (
                <th key={text} scope="col" class={left ? 'left' : undefined}>
                  {text}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** What an expert is up to, in a word and a colour. */
export function State({ now }: { now: ExpertNow }) {
  const text = words().state;
  const kind = now.drained ? 'warn' : !now.available ? 'bad' : now.broken > 0 ? 'warn' : 'good';
  const said = now.drained
    ? text.drained
    : !now.available
      ? text.unavailable
      : now.broken > 0
        ? text.breaker(now.broken, now.replicas)
        : text.available;
  return <span class={`state ${kind}`}>{said}</span>;
}
