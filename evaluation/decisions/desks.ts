/** Experts of one trade, described in a line as a newcomer would: how often the right one is chosen, and with four samples each. */
import { createRouter, type DescribedExpert, type RouterModel } from '../../src/router.ts';
import { readYaml } from './expert-choice.ts';

interface Desk {
  readonly name: string;
  /** Whether the subjects that descriptions are understood by were chosen with its misses in view. */
  readonly foreseen?: boolean;
  readonly experts: readonly DescribedExpert[];
  /** By expert. */
  readonly samples?: Readonly<Record<string, readonly string[]>>;
  /** By the expert that a colleague would choose. */
  readonly prompts: Readonly<Record<string, readonly string[]>>;
}

export interface DeskResult {
  readonly name: string;
  readonly foreseen: boolean;
  readonly asked: number;
  readonly byFallback: number;
  readonly right: number;
  /** Null where the set has no samples to add. */
  readonly rightWithSamples: number | null;
  readonly misses: readonly string[];
}

export async function judgeDesks(model: RouterModel): Promise<readonly DeskResult[]> {
  return Promise.all(readYaml<readonly Desk[]>('desks').map((desk) => judgeDesk(model, desk)));
}

async function judgeDesk(model: RouterModel, desk: Desk): Promise<DeskResult> {
  const { name, foreseen = false, experts, samples, prompts } = desk;
  const asked = Object.entries(prompts).flatMap(([right, texts]) => texts.map((text) => ({ right, text })));
  const misses = await missesOf(model, experts, asked);
  const sampled = experts.map((expert) => ({ ...expert, samples: samples?.[expert.id] ?? expert.samples }));
  return {
    name,
    foreseen,
    asked: asked.length,
    byFallback: asked.filter(({ right }) => experts.some(({ id, fallback }) => fallback && id === right))
      .length,
    right: asked.length - misses.length,
    rightWithSamples: samples ? asked.length - (await missesOf(model, sampled, asked)).length : null,
    misses,
  };
}

async function missesOf(
  model: RouterModel,
  experts: readonly DescribedExpert[],
  asked: readonly { readonly right: string; readonly text: string }[],
): Promise<readonly string[]> {
  const router = await createRouter({ model, experts });
  return asked.flatMap(({ right, text }) => {
    const got = router.decide(text).expert;
    return got === right ? [] : [`${right} -> ${got}: ${text}`];
  });
}

/** Markdown. */
export function deskSection(results: readonly DeskResult[]): readonly string[] {
  const share = (count: number, { asked }: DeskResult): string => `${((100 * count) / asked).toFixed(0)} %`;
  const row = (one: DeskResult): string =>
    `| ${one.name} | ${one.right} of ${one.asked}: ${share(one.right, one)} | ${share(one.byFallback, one)} | ` +
    `${one.rightWithSamples === null ? '' : `${one.rightWithSamples}: ${share(one.rightWithSamples, one)}`} |`;
  const table = (foreseen: boolean): readonly string[] => [
    '| experts | right | all to the fallback | with four samples each |',
    '|---|---|---|---|',
    ...results.filter((one) => one.foreseen === foreseen).map(row),
    '',
  ];
  return [
    '## Experts of one trade\n',
    'Small sets (`evaluation/decisions/desks.yaml`), experts described in a line. The subjects that descriptions are understood by',
    'were enlarged with the misses of these sets in view:\n',
    ...table(true),
    '**Nobody foresaw these subjects**; the sets were written afterwards, and nothing was changed for them but a typical prompt',
    'of the fallback (wifi). `check` says of some of these experts that their texts are too few:\n',
    ...table(false),
  ];
}
