/** A button for what changes how the gateway serves: it asks before it acts, and says what became of it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { words } from '../words/index.ts';

interface ActionProps {
  readonly label: string;
  /** What it does and what that means, as a question. */
  readonly ask: string;
  /** @returns what became of it */
  act(): Promise<string>;
  readonly onDone?: () => void;
}

export function Action({ label, ask, act, onDone }: ActionProps) {
  const text = words().action;
  const dialog = useRef<HTMLDialogElement>(null);
  const [state, setState] = useState<'idle' | 'running'>('idle');
  const [said, setSaid] = useState<{ readonly text: string; readonly failed: boolean } | null>(null);
  useEffect(() => {
    if (said === null || said.failed) return;
    const timer = setTimeout(() => setSaid(null), 8_000);
    return () => clearTimeout(timer);
  }, [said]);
  const run = async (): Promise<void> => {
    dialog.current?.close();
    setState('running');
    try {
      setSaid({ text: await act(), failed: false });
      onDone?.();
    } catch (error) {
      setSaid({ text: words().failed((error as Error).message), failed: true });
    }
    setState('idle');
  };
  return (
    <span class="action">
      <button
        type="button"
        class="quiet"
        disabled={state === 'running'}
        onClick={() => {
          setSaid(null);
          dialog.current?.showModal();
        }}
      >
        {label}
      </button>
      <span class={said?.failed ? 'problem' : 'hint'} role="status">
        {said?.text}
      </span>
      <dialog ref={dialog} aria-label={label}>
        <p>{ask}</p>
        <div class="row">
          <button type="button" onClick={() => void run()}>
            {label}
          </button>
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            {text.cancel}
          </button>
        </div>
      </dialog>
    </span>
  );
}
