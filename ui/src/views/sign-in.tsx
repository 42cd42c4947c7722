/** Where keys are configured, one is asked for before anything is shown. */
import { useState } from 'preact/hooks';
import * as api from '../api.ts';
import { words } from '../words/index.ts';

/** @param props.ended whether somebody was signed in until now */
export function SignIn({ ended, onSigned }: { ended: boolean; onSigned: () => void }) {
  const text = words();
  const [problem, setProblem] = useState<string | null>(null);
  const [key, setKey] = useState('');
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await api.post('login', { key });
      setProblem(null);
      onSigned();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void enter(event)}>
        <h1>{text.title}</h1>
        {ended ? <p role="status">{text.signIn.ended}</p> : null}
        <p>{text.signIn.text}</p>
        <label>
          {text.signIn.key}
          <input
            type="password"
            autocomplete="current-password"
            required
            value={key}
            onInput={({ currentTarget }) => setKey(currentTarget.value)}
          />
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit">{text.signIn.button}</button>
      </form>
    </main>
  );
}
