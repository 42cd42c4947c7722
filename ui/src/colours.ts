/** One colour for each expert, the same everywhere on the page: by its place in the config. */
import { live } from './live.ts';

const COLOURS = 12;

export function colourOf(expert: string): string {
  const place = live.layout?.experts.findIndex(({ id }) => id === expert) ?? -1;
  return place < 0 ? 'var(--soft)' : `var(--e${place % COLOURS})`;
}

const probe = document.createElement('i');

/** In the theme of now, for a canvas, which knows no variables. */
export function computed(colour: string): string {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = colour;
  return getComputedStyle(probe).color;
}
