/**
 * How much memory the bodies of one process's requests may take together: shares, handed
 * out and taken back.
 */
import { getHeapStatistics } from 'node:v8';
import { RouterError } from '../../core/errors.ts';

const MB = 1024 * 1024;

export class BodyBudget {
  readonly limit: number;
  #held = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes charged at present. */
  get held(): number {
    return this.#held;
  }

  share(): BodyShare {
    let own = 0;
    return {
      charge: (bytes) => {
        const others = this.#held - own;
        if (others > 0 && others + bytes > this.limit) throw overloaded(this.limit);
        this.#held = others + bytes;
        own = bytes;
      },
      release: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}

/** What one request holds. */
export interface BodyShare {
  /**
   * Holds this many bytes from now on, instead of those before. A request alone may hold any number, so that no body
   * within `max_body_mb` is refused for ever.
   * @throws RouterError `overloaded`
   */
  charge(bytes: number): void;
  /** Harmless when repeated. */
  release(): void;
}

function overloaded(limit: number): RouterError {
  return new RouterError(
    'overloaded',
    `The requests in progress hold all of the ${Math.floor(limit / MB)} MB that request bodies may take; try again in a moment.`,
    { retryAfter: 1 },
  );
}

/** Half of what the process may use: the other half is for everything else. */
function ofThisProcess(): number {
  const constrained = process.constrainedMemory?.() || Number.POSITIVE_INFINITY;
  return Math.min(getHeapStatistics().heap_size_limit, constrained) / 2;
}

export const PROCESS_BUDGET = new BodyBudget(ofThisProcess());
