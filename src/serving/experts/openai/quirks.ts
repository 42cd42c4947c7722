/** The engines whose quirks a config may name. */
import type { Quirks } from '../../dialects/quirks.ts';
import { ENGINES } from '../../engines/index.ts';

/** The name for no quirks. */
export const PLAIN = 'plain';

const QUIRKS: Readonly<Record<string, Quirks>> = {
  [PLAIN]: {},
  ...Object.fromEntries(ENGINES.flatMap(({ id, quirks }) => (quirks ? [[id, quirks]] : []))),
};

export const QUIRKS_NAMES = Object.keys(QUIRKS) as [string, ...string[]];

/** @param name one of `QUIRKS_NAMES` */
export function quirksNamed(name: string): Quirks {
  return QUIRKS[name] ?? {};
}
