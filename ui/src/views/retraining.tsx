/** The router model of tomorrow: trained on the prompts of today, deciding beside the one in force until it is applied. */
import type { Viewer } from '../../../src/serving/board/wire.ts';
import type { RetrainingBody } from '../../../src/serving/front/operator.ts';
import * as api from '../api.ts';
import { count, duration, percent } from '../format.ts';
import { Action } from '../parts/action.tsx';
import { Card, Problem, useAsked } from '../parts/bits.tsx';
import { Compared } from '../parts/compared.tsx';
import { words } from '../words/index.ts';

const EVERY_MS = 2_000;
/** Of fewer, clusters are chance. */
const FEW_PROMPTS = 300;

export function Retraining({ viewer }: { viewer: Viewer }) {
  const text = words().retraining;
  const { value, error } = useAsked(
    async () => ({ now: await api.retraining(), shadow: await api.shadow() }),
    EVERY_MS,
  );
  if (value === null) return <Problem why={error} />;
  const { now, shadow } = value;
  const may = viewer.roles.includes('operate');
  return (
    <Card title={text.title} wide>
      <p class="hint">{text.lead}</p>
      <State now={now} />
      {shadow === null ? null : <Compared shadow={shadow} />}
      {now.lacking.length > 0 ? (
        <ul class="lacking">
          <li>{text.lacking}</li>
          {now.lacking.map((one) => (
            <li key={one}>{text.cures[one]}</li>
          ))}
        </ul>
      ) : may ? (
        <p class="row">
          {now.state === 'running' ? null : (
            <Action
              label={text.retrain}
              ask={text.retrainAsk}
              act={async () => {
                await api.post('retraining', {});
                return text.begun;
              }}
            />
          )}
          {now.shadow ? (
            <Action
              label={text.apply}
              ask={text.applyAsk}
              act={async () => {
                await api.post('shadow', {});
                return text.applied;
              }}
            />
          ) : null}
        </p>
      ) : (
        <p class="hint">{text.operators}</p>
      )}
    </Card>
  );
}

function State({ now: { state, stage, began, ended, error, result } }: { now: RetrainingBody }) {
  const text = words().retraining;
  if (state === 'running')
    return (
      <p role="status">
        <span class="state running">{text.running}</span> <small>{stage}</small>
      </p>
    );
  if (state === 'failed') return <p class="problem">{words().failed(error ?? '?')}</p>;
  if (state !== 'done' || result === null) return null;
  const { router_model: id, prompts, clusters, kept, moved } = result;
  return (
    <p role="status">
      {text.done(id, count(prompts), duration((ended ?? 0) - (began ?? 0)))}{' '}
      {text.stayed(count(kept), count(clusters), percent(moved))}{' '}
      {prompts < FEW_PROMPTS ? <strong class="warn">{text.fewPrompts}</strong> : null}
    </p>
  );
}
