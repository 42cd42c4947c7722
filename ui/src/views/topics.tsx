/** The router model: its topics, their words, and how the requests of now compare with the prompts it learned from. */
import { driftOf } from '../../../src/deciding/model/drift.ts';
import type { Viewer } from '../../../src/serving/board/wire.ts';
import { colourOf } from '../colours.ts';
import { count, DASH, decimal, percent } from '../format.ts';
import { live, secondsOfModel } from '../live.ts';
import { Bar, Expert, Table, useLive } from '../parts/bits.tsx';
import { byCluster } from '../sums.ts';
import { words } from '../words/index.ts';
import { Retraining } from './retraining.tsx';

/** How far requests are from the training, and whether that asks for a new model. */
function DriftNote({ counts, outside }: { counts: readonly number[]; outside: number }) {
  const text = words().topics;
  const trained = live.layout!.clusters.map(({ size }) => size);
  const { distance, bound, requests, judged, moved, stranger } = driftOf(counts, trained, outside);
  const asks = moved || stranger;
  return (
    <p class="row" role="status">
      <span class={`state ${asks ? 'warn' : judged ? 'good' : ''}`}>
        {asks
          ? [moved ? text.moved : '', stranger ? text.stranger : ''].filter(Boolean).join(' · ')
          : judged
            ? text.fits
            : text.few}
      </span>
      <span class="hint" title={text.driftHint}>
        {text.drift(decimal(distance), decimal(bound), count(requests))} {asks ? text.refit : ''}
      </span>
    </p>
  );
}

export function Topics({ viewer }: { viewer: Viewer }) {
  useLive();
  const text = words().topics;
  const { layout } = live;
  if (layout === null) return null;
  const { model, clusters } = layout;
  const seconds = secondsOfModel();
  const counts = byCluster(seconds);
  const asked = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const learned = clusters.reduce((sum, { size }) => sum + size, 0);
  const outside = seconds.reduce((sum, second) => sum + second.outside, 0);
  const shares = clusters.map((cluster, index) => ({
    cluster,
    index,
    trained: learned === 0 ? 0 : cluster.size / learned,
    now: asked === 0 ? 0 : (counts[index] ?? 0) / asked,
  }));
  shares.sort((a, b) => b.now - a.now || b.trained - a.trained);
  const most = Math.max(...shares.map(({ trained, now }) => Math.max(trained, now)), 1e-9);
  return (
    <>
      <p class="lead">{text.lead}</p>
      <p class="hint">
        {text.facts(model.id, count(clusters.length), count(model.prompts), model.embedding)}{' '}
        {asked === 0 ? text.quiet : text.outside(percent(outside / asked))}
      </p>
      {asked === 0 ? null : (
        <DriftNote counts={clusters.map((_, index) => counts[index] ?? 0)} outside={outside} />
      )}
      <Retraining viewer={viewer} />
      <div class="card">
        <Table
          label={words().nav.topics}
          head={[
            { text: text.columns.topic, left: true },
            { text: text.columns.words, left: true },
            { text: text.columns.expert, left: true },
            { text: text.columns.trained, left: true },
            { text: text.columns.now, left: true },
            text.columns.change,
          ]}
        >
          {shares.map(({ cluster, index, trained, now }) => (
            <tr key={index}>
              <td class="left topic">{cluster.name}</td>
              <td class="left words">{cluster.words.slice(3).join(', ')}</td>
              <td class="left">
                <Expert id={cluster.owner} />
              </td>
              <td class="left load">
                <Bar share={trained / most} colour="var(--soft)" />
                <span>{percent(trained)}</span>
              </td>
              <td class="left load">
                <Bar share={now / most} colour={colourOf(cluster.owner)} />
                <span>{asked === 0 ? DASH : percent(now)}</span>
              </td>
              <td>
                {asked === 0 || trained === 0 ? DASH : `× ${decimal(now / trained, now === 0 ? 0 : 1)}`}
              </td>
            </tr>
          ))}
        </Table>
      </div>
    </>
  );
}
