/** A kind of expert stated in one value, with the types of its options from their schema. */
import type { z } from 'zod';
import type { ExpertKind } from './kind.ts';

/** What a kind need not say. */
type Preset = 'inProcess' | 'admission';

/**
 * States a kind of expert, for the `kinds` of `createGateway`. Options become fields of an expert in the config, so
 * their names must not be those of fields that every expert has.
 *
 * Where nothing else is said it is taken for a client of something elsewhere (`inProcess: false`), with any number of
 * requests at once and 30 seconds to the first byte of a stream.
 * @param kind `options` is a strict zod object; `create` makes one expert and rejects with `UserError` when it cannot
 * @example
 * const clock = defineExpert({
 *   kind: 'clock',
 *   summary: 'tells the time',
 *   options: z.strictObject({ zone: z.string().default('UTC').describe('a time zone') }),
 *   create: async (id, { zone }, deps) => new Clock(id, zone, deps),
 * });
 */
export function defineExpert<S extends z.ZodObject>(
  kind: Omit<ExpertKind<z.output<S>>, 'options' | Preset> &
    Partial<Pick<ExpertKind<unknown>, Preset>> & { readonly options: S },
): ExpertKind<z.output<S>> {
  return {
    inProcess: false,
    admission: { maxConcurrent: Number.POSITIVE_INFINITY, firstTokenMs: 30_000 },
    ...kind,
    // A zod object's output is what its schema says; the general type loses that.
    options: kind.options as unknown as z.ZodType<z.output<S>>,
  };
}
