/** Defines a kind of expert; the types of its options follow from their schema. */
import type { z } from 'zod';
import type { ExpertKind } from './kind.ts';

/** Optional fields of a definition. */
type Preset = 'inProcess' | 'admission';

/**
 * Defines a kind of expert, for the `kinds` of `createGateway`. Its options become fields of an expert in the config,
 * so they must not have the names of fields that every expert has.
 *
 * Defaults: a client of a service elsewhere (`inProcess: false`), any number of concurrent requests, and 30 seconds to
 * the first byte of a stream.
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
