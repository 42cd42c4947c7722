/** How Envoy's configuration writes values. */

/** A message of one of Envoy's types. */
export function typed(type: string, fields: object): object {
  return { '@type': `type.googleapis.com/${type}`, ...fields };
}

export function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
