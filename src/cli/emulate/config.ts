/** A router config for emulated experts, which take the names and subjects of the embedded ones. */
import { parse, stringify } from 'yaml';

export interface Subject {
  readonly id: string;
  readonly description?: string;
  readonly samples?: readonly string[];
  readonly fallback?: boolean;
}

/** The subjects of a config's experts, in its order. */
export function subjectsOf(config: string): readonly Subject[] {
  return (parse(config) as { experts: readonly Subject[] }).experts;
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
