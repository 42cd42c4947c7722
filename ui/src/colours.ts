/** One colour for each expert, the same everywhere on the page: by its place in the config. */
import { live } from './live.ts';

const COLOURS = 12;

export function colourOf(expert: string): string {
  const place = live.layout?.experts.findIndex(({ id }) => id === expert) ?? -1;
  return place < 0 ? 'var(--soft)' : `var(--e${place % COLOURS})`;
}

/** For a canvas, which knows no variables. */
export function computed(colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : colour;
}
