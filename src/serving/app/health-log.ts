/** Tells the operator of an expert's health when it changes, and of what is wrong from the beginning: once, with the cause. */
import { type Health, healthText } from '../experts/expert.ts';

const EXAMINE = 'expert-router doctor says what helps.';

export class HealthLog {
  readonly #log: (line: string) => void;
  /** What was last told of a replica; nothing while it has been well all along. */
  readonly #told = new Map<string, string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** It has left; one that comes to its place is told of anew. */
  forget(expert: string, replica: string): void {
    this.#told.delete(`${expert} ${replica}`);
  }

  /** @param replica its address, or what else it is called; that of an expert with a single one may be the expert's id */
  found(expert: string, replica: string, health: Health): void {
    const key = `${expert} ${replica}`;
    const news = newsOf(health);
    const before = this.#told.get(key);
    if (news === (before ?? '')) return;
    if (news === '') this.#told.delete(key);
    else this.#told.set(key, news);
    const who = `Expert '${expert}'${replica === expert ? '' : ` at ${replica}`}`;
    this.#log(news === '' ? `${who} is well again.` : `${who} ${news} ${EXAMINE}`);
  }
}

/** Empty for an expert that is well. */
function newsOf(health: Health): string {
  switch (health.state) {
    case 'down':
      return `is down: ${healthText(health)}.`;
    case 'warming':
      return `is not ready yet: ${health.detail}.`;
    case 'ready':
      return health.warning === undefined ? '' : `answers, but ${health.warning}.`;
  }
}
