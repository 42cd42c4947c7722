/**
 * Classifications of turns, by content: every request of a conversation carries its earlier turns again. It keeps
 * digests, no text, and belongs to one router model.
 */
import { createHash } from 'node:crypto';
import { type Classification, classifyAll } from '../../deciding/model/classify.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import type { RoutableText } from '../../deciding/text/routable.ts';

/** Classifications kept; with 64 clusters about 600 bytes each. */
const MOST_TURNS = 4_096;
/** UTF-16 units of a text. Longer ones are classified again each time, which reads a sample of them only. */
const MOST_UNITS = 65_536;

export class TurnCache {
  readonly #model: RouterModel;
  /** The least recently used first. */
  readonly #known = new Map<string, Classification>();
  readonly #most: number;

  constructor(model: RouterModel, most = MOST_TURNS) {
    this.#model = model;
    this.#most = most;
  }

  /** The same as `classifyAll` with the model. */
  classify(turns: readonly RoutableText[]): readonly Classification[] | Promise<readonly Classification[]> {
    // A conversation that begins: it costs less to classify its first turn twice than to remember every lone prompt.
    if (turns.length === 1) return classifyAll(this.#model, turns);
    const digests = new Map<string, string>();
    const keys = turns.map((turn) => keyOf(turn, digests));
    const found = keys.map((key) => (key === null ? undefined : this.#recall(key)));
    const missing = turns.filter((_, at) => found[at] === undefined);
    const merge = (fresh: readonly Classification[]): readonly Classification[] => {
      let next = 0;
      return found.map((known, at) => known ?? this.#keep(keys[at]!, fresh[next++]!));
    };
    if (missing.length === 0) return merge([]);
    const fresh = classifyAll(this.#model, missing);
    return fresh instanceof Promise ? fresh.then(merge) : merge(fresh);
  }

  #recall(key: string): Classification | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }

  #keep(key: string | null, classification: Classification): Classification {
    if (key === null) return classification;
    this.#known.set(key, classification);
    if (this.#known.size > this.#most) this.#known.delete(this.#known.keys().next().value!);
    return classification;
  }
}

/** @param digests of texts seen in this request: a turn is also the context of those after it */
function keyOf({ segments, unreadParts }: RoutableText, digests: Map<string, string>): string | null {
  let key = String(unreadParts);
  for (const { text, weight } of segments) {
    if (text.length > MOST_UNITS) return null;
    let digest = digests.get(text);
    if (digest === undefined) {
      // In UTF-16, in which half a surrogate pair is itself and nothing else.
      digest = createHash('sha256').update(text, 'utf16le').digest('base64');
      digests.set(text, digest);
    }
    key += `${weight}:${digest}`;
  }
  return key;
}
