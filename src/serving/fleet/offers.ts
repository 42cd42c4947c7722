/** What an expert may be asked for, by what the config says and its replicas tell: they serve the same model. */
import type { Expert } from '../experts/expert.ts';
import { type Declared, type Known, knownOf } from './known.ts';

interface Serving {
  readonly expert: Expert;
}

export class Offers {
  readonly #declared: Declared;
  readonly #replicas: readonly Serving[];
  readonly #face: Expert | undefined;
  /** Of its replicas, and what they have told; null until it is asked for. Every request asks. */
  #experts: readonly Expert[] | null = null;
  #known: Known | null = null;

  /**
   * @param replicas as they are when it is asked, after `changed`
   * @param face speaks for it while it has no replica
   */
  constructor(declared: Declared, replicas: readonly Serving[], face?: Expert) {
    this.#declared = declared;
    this.#replicas = replicas;
    this.#face = face;
  }

  /** There are other replicas, or they may have told more. */
  changed(): void {
    this.#experts = null;
    this.#known = null;
  }

  /** Whether one of the replicas takes requests of a dialect as they are. */
  speaks(dialect: string): boolean {
    return this.#all().some(({ speaks }) => (speaks as readonly string[]).includes(dialect));
  }

  /** What may be demanded of answers in a dialect; null for anything. */
  can(dialect: string): NonNullable<Expert['can']> | null {
    const one = this.#all()[0];
    return one === undefined || (one.speaks as readonly string[]).includes(dialect)
      ? null
      : (one.can ?? null);
  }

  /** Tokens that prompt and answer may have together; null for unknown. */
  get context(): number | null {
    return this.#whatIsKnown().context;
  }

  /** What its model takes; null for unknown. */
  get takes(): Known['takes'] {
    return this.#whatIsKnown().takes;
  }

  /** What its model is known not to do. */
  get lacks(): Known['lacks'] {
    return this.#whatIsKnown().lacks;
  }

  /** Whether it passes on requests that no dialect reads. */
  get passes(): boolean {
    return this.#all().some(({ passes }) => passes === true);
  }

  /** Whether its model writes text. */
  get answersText(): boolean {
    return this.#all().some(({ answersText }) => answersText !== false);
  }

  #all(): readonly Expert[] {
    this.#experts ??=
      this.#replicas.length === 0 && this.#face ? [this.#face] : this.#replicas.map(({ expert }) => expert);
    return this.#experts;
  }

  #whatIsKnown(): Known {
    this.#known ??= knownOf(this.#declared, this.#all());
    return this.#known;
  }
}
