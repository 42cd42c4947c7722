/** A prompt tried out: where it would go and why, as it is typed; then asked of one expert or of several side by side. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Viewer } from '../../../src/serving/board/wire.ts';
import * as api from '../api.ts';
import { Empty, useLive } from '../parts/bits.tsx';
import { words } from '../words/index.ts';
import { Answers, type Turn } from './answers.tsx';
import { Candidates, Nearest, Verdict, Words } from './decide-why.tsx';

const DELAY_MS = 250;
const ROLES = ['user', 'assistant', 'system'] as const;

/** What was typed last, so that another view and back loses nothing. */
let typed: readonly Turn[] = [{ role: 'user', content: '' }];

export function Decide({ viewer }: { viewer: Viewer }) {
  useLive();
  const text = words().decide;
  const [turns, setTurns] = useState(typed);
  const [answer, setAnswer] = useState<api.RouteAnswer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const asked = useRef(0);
  typed = turns;
  const empty = turns.every(({ content }) => content.trim() === '');

  useEffect(() => {
    const number = ++asked.current;
    if (empty) {
      setAnswer(null);
      setProblem(null);
      return;
    }
    const timer = setTimeout(async () => {
      try {
        const response = await api.post('route', {
          model: 'auto',
          messages: turns.filter(({ content }) => content.trim() !== ''),
        });
        const decided = (await response.json()) as api.RouteAnswer;
        if (number === asked.current) setAnswer(decided);
        if (number === asked.current) setProblem(null);
      } catch (error) {
        if (number === asked.current) setProblem(words().failed((error as Error).message));
      }
    }, DELAY_MS);
    return () => clearTimeout(timer);
  }, [turns, empty]);

  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (turns.length > 1 && turns.at(-1)!.content === '')
      Array.from(form.current?.querySelectorAll('textarea') ?? [])
        .at(-1)
        ?.focus();
  }, [turns.length]);

  const change = (place: number, part: Partial<Turn>): void =>
    setTurns(turns.map((turn, index) => (index === place ? { ...turn, ...part } : turn)));
  if (!viewer.roles.includes('ask')) return <p class="lead">{words().notAllowed('ask')}</p>;
  return (
    <>
      <p class="lead">{text.lead}</p>
      <div class="decide">
        <form ref={form} class="card turns" onSubmit={(event) => event.preventDefault()}>
          {turns.map((turn, place) => (
            <div class="turn" key={place}>
              {turns.length > 1 ? (
                <div class="turn-head">
                  <select
                    aria-label={text.role}
                    value={turn.role}
                    onChange={({ currentTarget }) =>
                      change(place, { role: currentTarget.value as Turn['role'] })
                    }
                  >
                    {ROLES.map((role) => (
                      <option key={role} value={role}>
                        {text.roles[role]}
                      </option>
                    ))}
                  </select>
                  <button
                    type="button"
                    class="quiet"
                    onClick={() => setTurns(turns.filter((_, index) => index !== place))}
                  >
                    {text.remove}
                  </button>
                </div>
              ) : null}
              <textarea
                rows={turns.length > 1 ? 2 : 5}
                aria-label={text.prompt}
                placeholder={place === 0 ? text.placeholder : ''}
                value={turn.content}
                onInput={({ currentTarget }) => change(place, { content: currentTarget.value })}
              />
            </div>
          ))}
          <div class="row">
            <button
              type="button"
              class="quiet"
              onClick={() =>
                setTurns([
                  ...turns,
                  { role: turns.at(-1)?.role === 'user' ? 'assistant' : 'user', content: '' },
                ])
              }
            >
              + {text.add}
            </button>
          </div>
          {empty ? (
            <div class="samples">
              <span>{text.examples}</span>
              {text.samples.map((sample) => (
                <button
                  type="button"
                  class="chip"
                  key={sample}
                  onClick={() => setTurns([{ role: 'user', content: sample }])}
                >
                  {sample}
                </button>
              ))}
            </div>
          ) : null}
          {problem === null ? null : (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
        </form>
        <div class="decision" aria-live="polite">
          {answer === null ? <Empty>{text.empty}</Empty> : <Verdict answer={answer} />}
        </div>
      </div>
      {answer === null ? null : (
        <div class="grid">
          <Words answer={answer} />
          <div class="stack">
            <Candidates answer={answer} />
            <Nearest answer={answer} />
          </div>
        </div>
      )}
      {answer === null ? null : (
        <Answers
          turns={turns}
          decided={answer}
          onGoOn={(content) =>
            setTurns([...turns, { role: 'assistant', content }, { role: 'user', content: '' }])
          }
        />
      )}
    </>
  );
}
