/** What is known of an expert's model: what the config says goes before what its engines tell. Pure. */
import { type Expert, type ModelTraits, TRAITS, type Trait } from '../experts/expert.ts';

/** By the config; absent for what it does not say. */
export interface Declared extends ModelTraits {
  /** Tokens that prompt and answer may have together. */
  readonly context?: number | undefined;
}

/** What an expert's model is known to take, and to lack. */
export interface Known {
  /** Tokens that prompt and answer may have together; null for unknown. */
  readonly context: number | null;
  /** Null for unknown. */
  readonly takes: NonNullable<ModelTraits['takes']> | null;
  readonly lacks: readonly Trait[];
}

export function knownOf(declared: Declared, told: Told): Known {
  return {
    context: contextOf(declared, told),
    takes: takesOf(declared, told),
    lacks: lacksOf(declared, told),
  };
}

type Told = readonly Pick<Expert, 'context' | 'traits'>[];

/** Of its replicas, the least; null where nobody says. */
function contextOf(declared: Declared, told: Told): number | null {
  if (declared.context !== undefined) return declared.context;
  const contexts = told.flatMap(({ context }) => context ?? []);
  return contexts.length > 0 ? Math.min(...contexts) : null;
}

/** What every one of its replicas takes that says so; null where nobody does. */
function takesOf(declared: Declared, told: Told): Known['takes'] {
  if (declared.takes !== undefined) return declared.takes;
  const taken = told.flatMap(({ traits }) => (traits?.takes ? [traits.takes] : []));
  return taken.length > 0 ? taken[0]!.filter((one) => taken.every((list) => list.includes(one))) : null;
}

const NOTHING: readonly Trait[] = [];

/** What its model is known not to do. */
function lacksOf(declared: Declared, told: Told): readonly Trait[] {
  const lacks = TRAITS.filter(
    (trait) => !(declared[trait] ?? told.every(({ traits }) => traits?.[trait] !== false)),
  );
  return lacks.length > 0 ? lacks : NOTHING;
}
