/** What a change of the config moves, judged on prompts: whatever changes, the router model too. */
import { promptText } from '../deciding/text/routable.ts';
import { findSources } from '../learning/training/sources/files.ts';
import { readPrompts } from '../learning/training/sources/read.ts';
import { textTable } from '../report/text-table.ts';
import { composeRouter, idleLoads, loadRouterModel } from '../serving/app/compose.ts';
import { loadConfig } from '../serving/config/load.ts';
import type { Routable } from '../serving/gateway/router.ts';

/** The prompts of one move. */
export interface PromptMoves {
  readonly from: string;
  readonly to: string;
  readonly prompts: number;
  readonly examples: readonly string[];
}

const EXAMPLES = 3;

/** Decides every prompt of these files by two configs, nothing running. @returns the most frequent moves first */
export async function promptMoves(
  before: string,
  after: string,
  paths: readonly string[],
): Promise<{ readonly prompts: number; readonly moves: readonly PromptMoves[] }> {
  const [one, other] = [await decider(before), await decider(after)];
  const moves = new Map<string, { from: string; to: string; prompts: number; examples: string[] }>();
  let prompts = 0;
  for (const file of await findSources(paths, []))
    for await (const prompt of readPrompts(file, { onBroken: () => {}, onNotice: () => {} })) {
      prompts += 1;
      const [from, to] = [await one(prompt), await other(prompt)];
      if (from === to) continue;
      const key = JSON.stringify([from, to]);
      const move = moves.get(key) ?? { from, to, prompts: 0, examples: [] };
      moves.set(key, move);
      move.prompts += 1;
      if (move.examples.length < EXAMPLES) move.examples.push(prompt);
    }
  return { prompts, moves: [...moves.values()].toSorted((a, b) => b.prompts - a.prompts) };
}

export function printPromptMoves({ prompts, moves }: Awaited<ReturnType<typeof promptMoves>>): void {
  const moved = moves.reduce((sum, move) => sum + move.prompts, 0);
  const share = prompts === 0 ? '' : ` (${((100 * moved) / prompts).toFixed(1)} %)`;
  console.log(`${moved} of ${prompts} prompts go to another expert${share}.`);
  if (moved === 0) return;
  console.log();
  console.log(
    textTable([
      ['from', 'to', 'prompts', 'such as'],
      ...moves.map((move) => [move.from, move.to, String(move.prompts), shortened(move.examples[0]!)]),
    ]),
  );
}

function shortened(prompt: string): string {
  const line = prompt.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

async function decider(file: string): Promise<(prompt: string) => Promise<string>> {
  const config = await loadConfig(file, process.env);
  const router = await composeRouter(config, await loadRouterModel(config), idleLoads(config));
  return async (prompt) => (await router.route(asked(prompt), undefined)).decision.home;
}

function asked(prompt: string): Routable {
  return {
    model: 'auto',
    turns: [promptText(prompt)],
    affinityKey: null,
    answerLimit: null,
    body: Buffer.from(prompt),
    stored: null,
    toolLoop: 'none',
  };
}
