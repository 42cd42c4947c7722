/** A config of a router in front of emulated experts, which take over the names and subjects of the embedded ones. */
import { parse, stringify } from 'yaml';

export interface Subject {
  readonly id: string;
  readonly description?: string;
  readonly samples?: readonly string[];
  readonly fallback?: boolean;
}

/** Of the experts of a config, in its order. */
export function subjectsOf(config: string): readonly Subject[] {
  return (parse(config) as { experts: readonly Subject[] }).experts;
}

/** @param servers in the order of their subjects; those beyond have none. Addresses are without a path. */
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
