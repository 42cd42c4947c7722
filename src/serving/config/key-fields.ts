/** What a config says of API keys: whose they are, what they may do, and what they and their teams may take. */
import { z } from 'zod';
import { DEFAULT_ROLES, ROLES } from '../../core/roles.ts';
import { nearestName } from '../../core/suggest.ts';
import { duration } from '../experts/option-types.ts';
import { type ExpertConfig, expertId } from './expert-fields.ts';

const positive = z.number().positive();

const bounds = z
  .strictObject({
    requests_per_minute: z
      .int()
      .positive()
      .optional()
      .describe('Requests in a minute')
      .meta({ examples: [60] }),
    tokens_per_minute: z
      .int()
      .positive()
      .optional()
      .describe('Tokens of prompts and answers in a minute')
      .meta({ examples: [100_000] }),
    concurrent: z
      .int()
      .positive()
      .optional()
      .describe('Requests at once')
      .meta({ examples: [8] }),
    usd_per_day: positive
      .optional()
      .describe('Dollars in a day of UTC')
      .meta({ examples: [5] }),
    usd_per_month: positive
      .optional()
      .describe('Dollars in a month of UTC')
      .meta({ examples: [100] }),
  })
  .meta({ examples: [{ requests_per_minute: 60, usd_per_month: 100 }] });

export const team = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64, 'at most 64 characters')
    .describe('As keys name it')
    .meta({ examples: ['research'] }),
  limits: bounds
    .describe('Of all its keys together, beside those of each')
    .meta({ examples: [{ usd_per_month: 500 }] }),
});

export const limitsStore = z.strictObject({
  redis: z
    .string()
    .regex(/^rediss?:\/\/\S+$/, 'an address such as redis://127.0.0.1:6379')
    .optional()
    .describe('Redis that all gateways share; they also tell each other hints there (docs/scale.md)')
    .meta({ examples: ['redis://127.0.0.1:6379'] }),
  dir: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Without Redis: folder in which the counts of one gateway outlive it; in memory alone when absent',
    )
    .meta({ examples: ['./limits'] }),
  when_away: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe(
      'While Redis does not answer, requests of keys with limits are refused, or counted by each gateway within its share; keys with a budget are refused in any case',
    ),
  replicas: z.int().positive().default(1).describe('Gateways that share the Redis, for the share of each'),
  deadline: duration.prefault('250ms').describe('Longest wait for Redis, for each request'),
  reservation: duration
    .prefault('1m')
    .describe('How long what a gateway has reserved stays reserved without a sign of it'),
});

const secretHash = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, "'sha256:' and 64 hex digits; `expert-router key` makes one");

export const apiKey = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64, 'at most 64 characters')
    .describe('Whose key; shown in metrics and logs')
    .meta({ examples: ['alice'] }),
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, "'sha256:' and 64 hex digits; `expert-router key` makes one")
    .describe("The key's hash; `expert-router key` makes both")
    .meta({ examples: [`sha256:${'0'.repeat(64)}`] }),
  next_hash: secretHash
    .optional()
    .describe('Of the key that is to replace it; both are valid meanwhile')
    .meta({ examples: [`sha256:${'1'.repeat(64)}`] }),
  expires: z
    .union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z',
    )
    .optional()
    .describe('When it ends, in UTC; a date ends as it begins')
    .meta({ examples: ['2027-01-31'] }),
  owner: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Who answers for it')
    .meta({ examples: ['Alice'] }),
  team: z
    .string()
    .min(1)
    .optional()
    .describe('Whose limits it shares, by name')
    .meta({ examples: ['research'] }),
  experts: z
    .array(expertId)
    .min(1, 'at least one expert')
    .optional()
    .describe('Experts that may answer it; every one when absent')
    .meta({ examples: [['code', 'maths']] }),
  models: z
    .array(z.string().min(1))
    .min(1, 'at least one name')
    .optional()
    .describe('Model names that its requests may use, as they are written there; every one when absent')
    .meta({ examples: [['auto']] }),
  limits: bounds.optional().describe('What it may take'),
  roles: z
    .array(z.enum(ROLES))
    .min(1, 'at least one role')
    .default([...DEFAULT_ROLES])
    .describe(
      'What it may do: `ask`; `observe` metrics and the state of experts; `operate`, which also shows where experts are, drains and resumes them and reloads the config',
    )
    .meta({ examples: [['ask']] }),
  local_only: z.boolean().default(false).describe('Whether its prompts go to local experts only'),
  priority: z
    .int()
    .min(-10)
    .max(10)
    .default(0)
    .describe('Of its requests in the queue of a busy expert: the highest first; a request may ask for less')
    .meta({ examples: [5] }),
});

/** Where each name stands first: there may be thousands. */
function firstOf(names: readonly string[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  names.forEach((name, at) => {
    if (!first.has(name)) first.set(name, at);
  });
  return first;
}

/** Reports keys of teams and experts that the config does not have, and names given twice where limits tell them apart. */
export function checkKeys(config: unknown, context: z.RefinementCtx): void {
  const { keys, teams, experts, limits } = config as {
    keys: { name: string; team?: string; experts?: string[]; limits?: object }[];
    teams: { name: string }[];
    experts: ExpertConfig[];
    limits: { redis?: string; dir?: string };
  };
  const say = (path: PropertyKey[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  const unknown = (what: string, name: string, known: readonly string[]): string => {
    const near = nearestName(name, known);
    return `no ${what} is called '${name}'${near ? `; did you mean '${near}'?` : `; there are: ${known.join(', ') || 'none'}`}`;
  };
  const [teamNames, ids] = [teams.map(({ name }) => name), experts.map(({ id }) => id)];
  const [firstTeam, firstKey, known] = [
    firstOf(teamNames),
    firstOf(keys.map(({ name }) => name)),
    new Set(ids),
  ];
  teamNames.forEach((name, at) => {
    if (firstTeam.get(name)! < at) say(['teams', at, 'name'], `a second team called '${name}'`);
  });
  keys.forEach(({ name, team: of, experts: among = [], limits: own }, at) => {
    if (of !== undefined && !firstTeam.has(of)) say(['keys', at, 'team'], unknown('team', of, teamNames));
    among.forEach((id, index) => {
      if (!known.has(id)) say(['keys', at, 'experts', index], unknown('expert', id, ids));
    });
    const same = firstKey.get(name)!;
    if (same < at && (own || keys[same]!.limits))
      say(['keys', at, 'name'], `a second key called '${name}': limits go by name`);
  });
  if (limits.redis !== undefined && limits.dir !== undefined)
    say(['limits', 'dir'], 'limits are kept in Redis or in a folder: leave out one of the two');
}
