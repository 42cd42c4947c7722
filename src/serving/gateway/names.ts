/** What a model name in a request means: an expert, or a choice among experts (`auto` and others of the config). Pure. */
import { AUTO } from '../dialects/ask.ts';

export type Meaning =
  | { readonly kind: 'expert'; readonly expert: string }
  /** `name`: the alias, or `auto`. */
  | { readonly kind: 'choice'; readonly name: string };

/** @param name an expert's id, or `auto` */
export function meaningOf(name: string): Meaning {
  return name === AUTO ? { kind: 'choice', name } : { kind: 'expert', expert: name };
}

/** Claude Code shows only models whose names begin so; every name means the same with it before it. */
const CLAUDE = 'claude-';

/** A listed name as Claude Code shows it. */
export function claudeName(name: string): string {
  return /^(claude|anthropic)/.test(name) ? name : CLAUDE + name;
}

function withoutClaude(name: string): string {
  return name.startsWith(CLAUDE) ? name.slice(CLAUDE.length) : name;
}

/** Ollama's clients name a tag with every model, and this one where nobody has named any. */
const LATEST = ':latest';

/** A listed name as Ollama's clients know it. */
export function ollamaName(name: string): string {
  return name.includes(':') ? name : name + LATEST;
}

function withoutLatest(name: string): string {
  return name.endsWith(LATEST) ? name.slice(0, -LATEST.length) : name;
}

/** Longer names match no pattern. */
const LONGEST_MATCHED = 256;

interface Pattern {
  /** The texts between its asterisks: one more than there are asterisks. */
  readonly parts: readonly string[];
  readonly meaning: Meaning;
}

/**
 * Exact names come before patterns, experts before aliases, those before the names that servers know their models by, and
 * patterns with more letters before those with fewer.
 */
export class Names {
  /** Those that a list of models shows: every name that is no pattern. */
  readonly listed: readonly string[];
  readonly #exact: ReadonlyMap<string, Meaning>;
  readonly #patterns: readonly Pattern[];

  /**
   * @param aliases what each alias means; `*` in one stands for any number of characters
   * @param models names of models, each with the only expert that serves it
   */
  constructor(
    experts: readonly string[],
    aliases: ReadonlyMap<string, Meaning> = new Map(),
    models: ReadonlyMap<string, string> = new Map(),
  ) {
    const plain = [...aliases].filter(([alias]) => !isPattern(alias));
    this.#exact = new Map<string, Meaning>([
      ...[...models].map(([model, expert]) => [model, { kind: 'expert', expert }] as const),
      [AUTO, { kind: 'choice', name: AUTO }],
      ...plain,
      ...experts.map((expert) => [expert, { kind: 'expert', expert }] as const),
    ]);
    this.#patterns = [...aliases]
      .filter(([alias]) => isPattern(alias))
      .map(([alias, meaning]) => ({ parts: alias.split('*'), meaning }))
      .sort((a, b) => letters(b) - letters(a));
    this.listed = [AUTO, ...experts, ...plain.map(([alias]) => alias)];
  }

  /** Whether nobody in particular is asked. */
  isAuto(name: string): boolean {
    const meaning = this.meaning(name);
    return meaning?.kind === 'choice' && meaning.name === AUTO;
  }

  /** Null for a name that means nothing here. */
  meaning(name: string): Meaning | null {
    const exact =
      this.#exact.get(name) ?? this.#exact.get(withoutClaude(name)) ?? this.#exact.get(withoutLatest(name));
    if (exact !== undefined || name.length > LONGEST_MATCHED) return exact ?? null;
    return this.#patterns.find(({ parts }) => matches(parts, name))?.meaning ?? null;
  }
}

function isPattern(alias: string): boolean {
  return alias.includes('*');
}

function letters({ parts }: Pattern): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Each part is looked for after the one before, so that a name is read once, whatever the pattern. */
function matches(parts: readonly string[], name: string): boolean {
  const [first, last] = [parts[0]!, parts.at(-1)!];
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
