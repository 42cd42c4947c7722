/** The topics on a flat map, with the prompts of the last minutes among them. */
import { useMemo, useState } from 'preact/hooks';
import type { Cluster, Dot } from '../../../src/serving/board/wire.ts';
import { colourOf } from '../colours.ts';
import { count } from '../format.ts';
import { live, secondsOfModel } from '../live.ts';
import { Expert, useLive, useNarrow } from '../parts/bits.tsx';
import { byCluster } from '../sums.ts';
import { words } from '../words/index.ts';

const WIDTH = 1000;
const HEIGHT = 720;
const MARGIN = 70;
/** In the picture's units; on a narrow screen, which makes the picture small, twice as much. */
const LABEL_SIZE = 15;
const FADE_MS = 120_000;
/** How sharply a prompt is drawn to its nearest cluster: as affinities are (docs/glossary.md). */
const TEMPERATURE = 0.1;

export function TopicMap() {
  useLive();
  const text = words().map;
  const [picked, setPicked] = useState<number | null>(null);
  const [byLoad, setByLoad] = useState(false);
  const clusters = live.layout?.clusters ?? [];
  const counts = byCluster(secondsOfModel());
  const most = Math.max(1, ...Object.values(counts));
  const places = useMemo(() => spread(clusters), [clusters]);
  const listed = useMemo(() => byOwner(clusters), [clusters]);
  const size = LABEL_SIZE * (useNarrow() ? 2 : 1);
  const named = useMemo(() => labelled(clusters, places, size), [clusters, places, size]);
  return (
    <>
      <p class="lead">{text.lead}</p>
      <div class="row">
        <span>{text.colour}</span>
        <fieldset class="switch">
          <legend class="hidden">{text.colour}</legend>
          <button type="button" aria-pressed={!byLoad} onClick={() => setByLoad(false)}>
            {text.byExpert}
          </button>
          <button type="button" aria-pressed={byLoad} onClick={() => setByLoad(true)}>
            {text.byLoad}
          </button>
        </fieldset>
        <ul class="legend">
          {live.layout?.experts.map(({ id }) => (
            <li key={id}>
              <Expert id={id} />
            </li>
          ))}
        </ul>
      </div>
      <div class="map-and-list">
        <figure class="card map">
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={text.caption}>
            {clusters.map((cluster, index) => (
              // biome-ignore lint/a11y/noStaticElementInteractions: the list beside it does the same by keyboard
              <circle
                key={cluster.name + String(index)}
                class={index === picked ? 'topic picked' : 'topic'}
                cx={places[index]!.x}
                cy={places[index]!.y}
                r={places[index]!.r}
                style={{
                  fill: byLoad ? 'var(--accent)' : colourOf(cluster.owner),
                  fillOpacity: byLoad ? 0.06 + 0.74 * Math.sqrt((counts[index] ?? 0) / most) : undefined,
                }}
                onMouseEnter={() => setPicked(index)}
                onClick={() => setPicked(index)}
              />
            ))}
            <g class="dots">
              {live.dots.map(({ serial, at, dot }) => (
                <Prompt key={serial} dot={dot} age={live.now - at} places={places} serial={serial} />
              ))}
            </g>
            <g class="labels" style={{ fontSize: `${size}px` }}>
              {named.map((index) => (
                <text key={index} x={places[index]!.x} y={places[index]!.y + 4} text-anchor="middle">
                  {labelOf(clusters[index]!)}
                </text>
              ))}
            </g>
          </svg>
          <figcaption>{live.dots.length === 0 ? text.quiet : '\u00a0'}</figcaption>
        </figure>
        <aside class="card topic-list">
          <Picked
            cluster={picked === null ? null : (clusters[picked] ?? null)}
            asked={counts[picked ?? -1] ?? 0}
          />
          <h2>{text.list}</h2>
          <ul>
            {listed.map(({ cluster, index }) => (
              <li key={cluster.name + String(index)}>
                <button
                  type="button"
                  class="quiet"
                  aria-pressed={index === picked}
                  onClick={() => setPicked(index)}
                >
                  <i class="spot" style={{ background: colourOf(cluster.owner) }} aria-hidden="true" />
                  <span class="name">{cluster.name}</span>
                  <span class="weight">{count(counts[index] ?? 0)}</span>
                </button>
              </li>
            ))}
          </ul>
        </aside>
      </div>
    </>
  );
}

function Picked({ cluster, asked }: { cluster: Cluster | null; asked: number }) {
  const text = words().map;
  if (cluster === null) return <p class="hint picked-topic">{text.hint}</p>;
  return (
    <div class="picked-topic" aria-live="polite">
      <h2>{cluster.name}</h2>
      <p>{cluster.words.join(', ')}</p>
      <p class="hint">
        {text.served} <Expert id={cluster.owner} /> · {text.size(count(cluster.size))} ·{' '}
        {text.asked(count(asked))}
      </p>
    </div>
  );
}

/** Those of one expert together, in the order of the config, the larger first. */
function byOwner(
  clusters: readonly Cluster[],
): readonly { readonly cluster: Cluster; readonly index: number }[] {
  const place = new Map(live.layout?.experts.map(({ id }, at) => [id, at]));
  return clusters
    .map((cluster, index) => ({ cluster, index }))
    .sort(
      (a, b) => place.get(a.cluster.owner)! - place.get(b.cluster.owner)! || b.cluster.size - a.cluster.size,
    );
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

const GAP = 3;
const ROUNDS = 60;

/** The layout's positions in the picture's units, moved apart where circles would cover each other. */
function spread(clusters: readonly Cluster[]): readonly Place[] {
  const largest = Math.max(1, ...clusters.map(({ size }) => size));
  const scale = Math.min(1, Math.sqrt(64 / Math.max(1, clusters.length)));
  const across = fitted(
    clusters.map(({ x }) => x),
    WIDTH,
  );
  const down = fitted(
    clusters.map(({ y }) => y),
    HEIGHT,
  );
  const places = clusters.map(({ size }, index) => ({
    x: across[index]!,
    y: down[index]!,
    r: scale * (10 + 38 * Math.sqrt(size / largest)),
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < places.length; i++)
      for (let j = 0; j < i; j++) {
        const [a, b] = [places[i]!, places[j]!];
        const [dx, dy] = [a.x - b.x, a.y - b.y];
        const distance = Math.hypot(dx, dy) || 1e-6;
        const overlap = a.r + b.r + GAP - distance;
        if (overlap <= 0) continue;
        const push = overlap / 2 / distance;
        a.x += dx * push;
        a.y += dy * push;
        b.x -= dx * push;
        b.y -= dy * push;
      }
    for (const place of places) {
      place.x = Math.max(place.r, Math.min(WIDTH - place.r, place.x));
      place.y = Math.max(place.r, Math.min(HEIGHT - place.r, place.y));
    }
  }
  return places;
}

/** Stretched over the whole length, but for a margin: of two dimensions of many, neither has a scale of its own. */
function fitted(values: readonly number[], length: number): readonly number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => MARGIN + ((value - low) / (high - low || 1)) * (length - 2 * MARGIN));
}

/** Clusters whose names do not run into each other, the larger first. */
function labelled(clusters: readonly Cluster[], places: readonly Place[], size: number): readonly number[] {
  const chosen: number[] = [];
  const order = clusters.map((_, index) => index).sort((a, b) => clusters[b]!.size - clusters[a]!.size);
  for (const index of order) {
    const { x, y } = places[index]!;
    const half = halfOf(clusters[index]!, size);
    if (x < half || x > WIDTH - half) continue;
    const clear = chosen.every(
      (other) =>
        Math.abs(places[other]!.y - y) > 1.3 * size ||
        Math.abs(places[other]!.x - x) > half + halfOf(clusters[other]!, size),
    );
    if (clear) chosen.push(index);
  }
  return chosen;
}

function labelOf({ name }: Cluster): string {
  return name.split(' · ').slice(0, 2).join(' · ');
}

/** About half the width of a label; a letter of Chinese or Japanese is as wide as it is high. */
function halfOf(cluster: Cluster, size: number): number {
  return [...labelOf(cluster)].reduce((sum, letter) => sum + (letter > '\u2e80' ? 1 : 0.62), 0) * (size / 2);
}

/** From 0 to 1, without a pattern to the eye, the same for the same number. */
function scattered(n: number): number {
  const value = Math.sin(n * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
}

/** A prompt between its nearest clusters, drawn to each by its affinity. */
function Prompt(props: { dot: Dot; age: number; places: readonly Place[]; serial: number }) {
  const { dot, age, places, serial } = props;
  const [expert, away, ...near] = dot;
  const least = near[1] ?? 0;
  let [x, y, weight] = [0, 0, 0];
  for (let at = 0; at + 1 < near.length; at += 2) {
    const place = places[near[at]!];
    if (!place) continue;
    const share = Math.exp(-(near[at + 1]! ** 2 - least ** 2) / TEMPERATURE);
    x += share * place.x;
    y += share * place.y;
    weight += share;
  }
  if (weight === 0) return null;
  const nearest = places[near[0]!]!;
  // Prompts of one place are told apart by a small shift, always the same for one.
  const turn = 2 * Math.PI * scattered(serial);
  const shift = nearest.r * 0.8 * Math.sqrt(scattered(serial + 0.5));
  const style = { fill: colourOf(expert), opacity: Math.max(0, 1 - age / FADE_MS) };
  const [cx, cy] = [x / weight + shift * Math.cos(turn), y / weight + shift * Math.sin(turn)];
  return <circle cx={cx} cy={cy} r={away ? 5 : 3.2} class={away ? 'prompt away' : 'prompt'} style={style} />;
}
