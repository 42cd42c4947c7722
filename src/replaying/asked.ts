/** What is asked of a replay: what the experts are, and what is to be different. */
import { z } from 'zod';
import { RouterError } from '../core/errors.ts';
import { POLICIES } from '../deciding/routing/policies/index.ts';
import { policyField } from '../deciding/routing/policy-choice.ts';

const name = z.string().min(1).max(100);
const expert = z.strictObject({
  /** As `expert-router plan --model` knows it. */
  model: name,
  gpu: name,
  tensor_parallel: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8)]).default(1),
  replicas: z.number().int().min(1).max(64),
});

const schema = z.strictObject({
  /** How far back from the latest recorded request. */
  minutes: z.number().min(0.1).max(60).default(10),
  /** What each expert of the config is, by id. */
  experts: z.record(z.string(), expert),
  change: z
    .strictObject({
      policy: policyField(POLICIES).optional(),
      /** File name of another router model, beside the one in force. */
      router: name.optional(),
      /** Only those that would be others. */
      experts: z.record(z.string(), expert).default({}),
    })
    .default({ experts: {} }),
});

export type WhatIfAsked = z.infer<typeof schema>;
export type WhatIfExpert = z.infer<typeof expert>;

/** @param experts ids of the config's @throws RouterError `invalid_request` naming the field */
export function whatIfAsked(body: unknown, experts: readonly string[]): WhatIfAsked {
  const result = schema.safeParse(body);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const param = path.join('.');
    throw new RouterError('invalid_request', param === '' ? message : `${param}: ${message}`, { param });
  }
  const { data } = result;
  const missing = experts.find((id) => !Object.hasOwn(data.experts, id));
  if (missing !== undefined)
    throw refused(`experts.${missing}`, 'say which model it is, on which GPU, and how many replicas it has');
  for (const id of Object.keys(data.change.experts))
    if (!experts.includes(id)) throw refused(`change.experts.${id}`, 'there is no such expert');
  return data;
}

function refused(param: string, message: string): RouterError {
  return new RouterError('invalid_request', `${param}: ${message}.`, { param });
}
