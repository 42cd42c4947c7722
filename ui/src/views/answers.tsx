/** The prompt of *Decide* sent to experts, their answers side by side as they stream. */
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from '../api.ts';
import { colourOf } from '../colours.ts';
import { eventsOf } from '../events.ts';
import { count, duration } from '../format.ts';
import { Card, Expert } from '../parts/bits.tsx';
import { words } from '../words/index.ts';

export interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: string;
}

interface Answer {
  readonly expert: string;
  readonly text: string;
  readonly firstMs: number | null;
  readonly totalMs: number | null;
  readonly tokens: number | null;
  readonly problem: string | null;
  readonly trace: string | null;
}

const MOST_TOKENS = 400;

interface AnswersProps {
  readonly turns: readonly Turn[];
  readonly decided: api.RouteAnswer;
  /** The conversation continues with this answer. */
  onGoOn(answer: string): void;
}

export function Answers({ turns, decided, onGoOn }: AnswersProps) {
  const text = words().decide;
  const [picked, setPicked] = useState<readonly string[] | null>(null);
  const [answers, setAnswers] = useState<readonly Answer[]>([]);
  const [running, setRunning] = useState<AbortController | null>(null);
  const latest = useRef<AbortController | null>(null);
  // They answer these turns and no others.
  useEffect(
    () => () => {
      latest.current?.abort();
      setAnswers([]);
    },
    [turns],
  );
  const wanted = picked ?? [decided.expert];

  const send = async (): Promise<void> => {
    const stop = new AbortController();
    latest.current = stop;
    setRunning(stop);
    setAnswers(wanted.map(blank));
    const update = (expert: string, part: Partial<Answer>): void =>
      setAnswers((all) => all.map((one) => (one.expert === expert ? { ...one, ...part } : one)));
    await Promise.all(
      wanted.map((expert) => ask(expert, turns, stop.signal, (part) => update(expert, part))),
    );
    setRunning(null);
  };

  return (
    <Card title={text.ask} wide>
      <p class="hint">{text.askHint}</p>
      <div class="row picks">
        {decided.ranking.map(({ expert }) => (
          <label key={expert} class="pick">
            <input
              type="checkbox"
              checked={wanted.includes(expert)}
              onChange={({ currentTarget }) =>
                setPicked(
                  currentTarget.checked ? [...wanted, expert] : wanted.filter((one) => one !== expert),
                )
              }
            />
            <Expert id={expert} />
          </label>
        ))}
        {running ? (
          <button type="button" onClick={() => running.abort()}>
            {text.stop}
          </button>
        ) : (
          <button type="button" disabled={wanted.length === 0} onClick={() => void send()}>
            {answers.length > 0 ? text.again : text.ask}
          </button>
        )}
      </div>
      <div class="answers">
        {answers.map((answer) => (
          <Shown key={answer.expert} answer={answer} onGoOn={onGoOn} />
        ))}
      </div>
    </Card>
  );
}

function Shown({ answer, onGoOn }: { answer: Answer } & Pick<AnswersProps, 'onGoOn'>) {
  const text = words().decide;
  const { expert, firstMs, totalMs, tokens, trace } = answer;
  const facts = [
    firstMs === null ? '' : text.first(duration(firstMs)),
    totalMs === null ? '' : text.took(duration(totalMs)),
    tokens === null ? '' : text.tokens(count(tokens)),
  ].filter(Boolean);
  return (
    <article class="answer" style={{ borderColor: colourOf(expert) }}>
      <h3>
        <Expert id={expert} />
      </h3>
      {answer.problem === null ? null : <p class="problem">{words().failed(answer.problem)}</p>}
      <p class="said">{answer.text || (totalMs === null && answer.problem === null ? text.asking : '')}</p>
      <p class="hint">
        {facts.join(' · ')}{' '}
        {trace === null || totalMs === null ? null : (
          <a href={`#/requests/${trace}`}>{words().trace.details}</a>
        )}
      </p>
      {trace === null || totalMs === null ? null : <Thumbs trace={trace} />}
      {totalMs === null || answer.text === '' ? null : (
        <button type="button" class="quiet" onClick={() => onGoOn(answer.text)}>
          {text.goOn}
        </button>
      )}
    </article>
  );
}

/** Feedback on an answer, where the router keeps any. */
function Thumbs({ trace }: { trace: string }) {
  const text = words().decide;
  const [given, setGiven] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const give = async (score: number): Promise<void> => {
    try {
      await api.post('feedback', { trace_id: trace, score });
      setGiven(score);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <p class="hint" aria-live="polite">
      <span class="thumbs">
        <button type="button" class="quiet" aria-pressed={given === 1} onClick={() => void give(1)}>
          {text.good}
        </button>
        <button type="button" class="quiet" aria-pressed={given === 0} onClick={() => void give(0)}>
          {text.bad}
        </button>
      </span>{' '}
      {problem ?? (given === null ? '' : text.thanks)}
    </p>
  );
}

function blank(expert: string): Answer {
  return { expert, text: '', firstMs: null, totalMs: null, tokens: null, problem: null, trace: null };
}

/** Streams one answer. Never rejects: what went wrong is part of the answer. */
async function ask(
  expert: string,
  turns: readonly Turn[],
  signal: AbortSignal,
  update: (part: Partial<Answer>) => void,
): Promise<void> {
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  try {
    const body = {
      model: 'auto',
      messages: turns,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: MOST_TOKENS,
    };
    const response = await api.post('ask', body, { signal, headers: { 'x-expert-router-expert': expert } });
    update({ trace: response.headers.get('x-expert-router-trace-id') });
    let text = '';
    for await (const { data } of eventsOf(response)) {
      if (data === '[DONE]') break;
      const piece = JSON.parse(data) as Piece;
      if (piece.error) throw new Error(piece.error.message);
      const more = piece.choices?.[0]?.delta?.content ?? '';
      if (more !== '' && text === '') update({ firstMs: elapsed() });
      text += more;
      update({ text, ...(piece.usage ? { tokens: piece.usage.completion_tokens } : {}) });
    }
    update({ totalMs: elapsed() });
  } catch (error) {
    if (signal.aborted) update({ totalMs: elapsed() });
    else update({ problem: (error as Error).message });
  }
}

interface Piece {
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
  readonly usage?: { readonly completion_tokens: number } | null;
  readonly error?: { readonly message: string };
}
