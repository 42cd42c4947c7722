/** How often the expert is the one a colleague would choose, for several sets of experts, on prompts of all lengths. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { createRouter, type DescribedExpert, type RouterModel } from '../../src/router.ts';

export type Half = 'tune' | 'judge' | 'everyday';

interface ExpertSet {
  readonly name: string;
  readonly experts: readonly (DescribedExpert & { readonly topics?: readonly string[] })[];
}

export interface Prompt {
  readonly text: string;
  readonly topic: string;
  readonly half: Half;
  readonly japanese: boolean;
}

export interface SetResult {
  readonly name: string;
  readonly asked: number;
  readonly right: number;
  /** What sending everything to the fallback gets right; 0 without one. */
  readonly byFallback: number;
  readonly japanese: { readonly asked: number; readonly right: number };
  readonly misses: readonly string[];
}

const HERE = 'evaluation/decisions';

export function readYaml<T>(name: string): T {
  return parse(readFileSync(`${HERE}/${name}.yaml`, 'utf8')) as T;
}

/** In each topic's list every second prompt is for judging; those of everyday.yaml are all for development. */
export function prompts(): readonly Prompt[] {
  return [
    ...listed('prompts', (index) => (index % 2 === 0 ? 'tune' : 'judge')),
    ...listed('everyday', () => 'everyday'),
  ];
}

function listed(file: string, halfOf: (index: number) => Half): readonly Prompt[] {
  const byTopic = readYaml<Readonly<Record<string, readonly string[]>>>(file);
  return Object.entries(byTopic).flatMap(([topic, texts]) =>
    texts.map((text, index) => ({
      text,
      topic,
      half: halfOf(index),
      japanese: /[\u3040-\u30ff]/.test(text),
    })),
  );
}

export async function judgeSets(model: RouterModel, half: Half): Promise<readonly SetResult[]> {
  const asked = prompts().filter((one) => one.half === half);
  return Promise.all(readYaml<readonly ExpertSet[]>('configs').map((set) => judgeSet(model, set, asked)));
}

async function judgeSet(
  model: RouterModel,
  { name, experts }: ExpertSet,
  asked: readonly Prompt[],
): Promise<SetResult> {
  const router = await createRouter({ model, experts });
  const fallback = experts.find((expert) => expert.fallback)?.id;
  const judged = asked.flatMap((prompt) => {
    const wanted = experts.find(({ topics = [] }) => topics.includes(prompt.topic))?.id ?? fallback;
    return wanted === undefined ? [] : [{ prompt, wanted, got: router.decide(prompt.text).expert }];
  });
  const japanese = judged.filter(({ prompt }) => prompt.japanese);
  const right = (list: typeof judged): number => list.filter(({ wanted, got }) => wanted === got).length;
  return {
    name,
    asked: judged.length,
    right: right(judged),
    byFallback: judged.filter(({ wanted }) => wanted === fallback).length,
    japanese: { asked: japanese.length, right: right(japanese) },
    misses: judged
      .filter(({ wanted, got }) => wanted !== got)
      .map(
        ({ prompt, wanted, got }) => `${wanted} -> ${got}: ${prompt.text.replaceAll('\n', ' ').slice(0, 70)}`,
      ),
  };
}
