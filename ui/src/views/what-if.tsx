/** The last minutes once more, with something changed: what would have been, beside what was and the simulator's error. */
import { useState } from 'preact/hooks';
import type { WhatIfAnswer } from '../../../src/replaying/what-if.ts';
import type { WhatIfOptions } from '../../../src/serving/board/what-if.ts';
import * as api from '../api.ts';
import { Card, Empty, Problem, useAsked } from '../parts/bits.tsx';
import { Compared } from '../parts/compared.tsx';
import { Numbered } from '../parts/numbered.tsx';
import { words } from '../words/index.ts';
import { type Fleet, FleetTable } from './what-if-fleet.tsx';
import { Outcomes } from './what-if-result.tsx';

const MOST_MINUTES = 60;
const MOST_S = 100_000;
const SHADOW_MS = 5_000;
const S = 'seconds_per_affinity';

export function WhatIf() {
  const { value, error } = useAsked(api.whatIfOptions, 0);
  const text = words().whatIf;
  return (
    <>
      <p class="lead">{text.lead}</p>
      <Problem why={error} />
      {value === null ? null : value.records ? <Form options={value} /> : <Empty>{text.none}</Empty>}
      <Shadow />
    </>
  );
}

/** What a shadow model has decided otherwise, as requests came: it needs no replay. */
function Shadow() {
  const { value } = useAsked(api.shadow, SHADOW_MS);
  if (value === null) return null;
  return (
    <Card title={words().retraining.title} wide>
      <Compared shadow={value} />
    </Card>
  );
}

function Form({ options }: { options: WhatIfOptions }) {
  const text = words().whatIf;
  const [minutes, setMinutes] = useState(10);
  const [policy, setPolicy] = useState(options.policy.name);
  const [s, setS] = useState(Number(options.policy[S] ?? options.secondsPerAffinity));
  const [router, setRouter] = useState(options.router);
  const [fleet, setFleet] = useState<Fleet>(options.experts);
  const [would, setWould] = useState<Fleet>({});
  const [running, setRunning] = useState(false);
  const [answer, setAnswer] = useState<WhatIfAnswer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const takesS = policy === 'spill';

  const replay = async (): Promise<void> => {
    setRunning(true);
    setProblem(null);
    const change = {
      policy: takesS ? { name: policy, [S]: s } : policy,
      ...(router === options.router ? {} : { router }),
      experts: would,
    };
    try {
      setAnswer(await api.whatIf({ minutes, experts: fleet, change }));
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setRunning(false);
    }
  };
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void replay();
        }}
      >
        <div class="row filters">
          <Numbered label={text.minutes} value={minutes} most={MOST_MINUTES} onValue={setMinutes} />
          <label>
            {text.policy}
            <select value={policy} onChange={({ currentTarget }) => setPolicy(currentTarget.value)}>
              {options.policies.map(({ id, summary }) => (
                <option key={id} title={summary}>
                  {id}
                </option>
              ))}
            </select>
          </label>
          {takesS ? <Numbered label={text.s} value={s} most={MOST_S} onValue={setS} /> : null}
          {options.routers.length < 2 ? null : (
            <label>
              {text.router}
              <select value={router} onChange={({ currentTarget }) => setRouter(currentTarget.value)}>
                {options.routers.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          )}
          <button type="submit" disabled={running}>
            {running ? text.running : text.button}
          </button>
        </div>
        <FleetTable options={options} fleet={fleet} would={would} onFleet={setFleet} onWould={setWould} />
      </form>
      <Problem why={problem} />
      {answer === null ? null : <Outcomes answer={answer} />}
    </>
  );
}
