/** A router config for emulated experts, which take the names and subjects of the embedded ones. */
import { parse, stringify } from 'yaml';

export interface Subject {
  readonly id: string;
  readonly description?: string;
  readonly samples?: readonly string[];
  readonly fallback?: boolean;
}

/** The subjects of a config's experts for so many, in its order: the fallback is the last, however few they are. */
export function subjectsOf(config: string, experts: number): readonly Subject[] {
  const all = (parse(config) as { experts: readonly Subject[] }).experts;
  const fallback = all.filter((one) => one.fallback);
  return [
    ...all.filter((one) => !one.fallback).slice(0, Math.max(0, experts - fallback.length)),
    ...fallback,
  ];
}

/** @param servers in the order of their subjects; servers beyond the last subject have none. Addresses have no path */
export function emulatedConfig(
  servers: readonly { readonly expert: string; readonly url: string }[],
  subjects: readonly Subject[],
): string {
  const experts = servers.map(({ expert, url }, at) => {
    const { description, samples, fallback } = subjects[at] ?? {};
    return { id: expert, kind: 'openai', url, description, samples, fallback };
  });
  return `# Emulated experts: no language model answers.\n${stringify({ experts }, { lineWidth: 110 })}`;
}
