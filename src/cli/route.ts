/**
 * `expert-router route`: prints the decision for a prompt, made by the gateway's own code, without calling an expert.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { describeError } from '../core/errors.ts';
import { composeRouter, DEFAULT_CONFIG, idleLoads, loadRouterModel } from '../serving/app/compose.ts';
import { loadConfig } from '../serving/config/load.ts';
import { readAsk } from '../serving/dialects/index.ts';
import { decisionBody } from '../serving/front/decision-wire.ts';
import type { Router } from '../serving/gateway/router.ts';

export function routeCommand(): Command {
  return new Command('route')
    .argument('[prompt]', 'the prompt; without it, JSON lines are read from standard input')
    .option('-c, --config <file>', 'the config file; the built-in one when absent')
    .option(
      '--explain',
      'the whole decision on one screen: words read, map, memory, and the seconds of each candidate',
    )
    .option('--json', 'machine-readable output, as from POST /v1/route')
    .addHelpText(
      'after',
      `
Standard input: one JSON object a line, with 'prompt' or 'messages' as in a request. One decision a line comes out;
a line that cannot be read gives {"error": …} in its place.

Examples:
  $ expert-router route "Prove that the square root of 2 is irrational"
  $ expert-router route --explain "How do I cook rice?"
  $ expert-router route --json "東京の天気は？"
  $ expert-router route < prompts.jsonl > decisions.jsonl`,
    )
    .action(
      async (prompt: string | undefined, options: { config?: string; explain?: boolean; json?: boolean }) => {
        const config = await loadConfig(options.config ?? DEFAULT_CONFIG, process.env);
        const router = await composeRouter(config, await loadRouterModel(config), idleLoads(config));
        if (prompt === undefined) await routeLines(router);
        else if (options.json) console.log(JSON.stringify(await decide(router, { prompt }), null, 2));
        else if (options.explain) printAll(await decide(router, { prompt }));
        else print(await decide(router, { prompt }));
      },
    );
}

type DecisionBody = ReturnType<typeof decisionBody>;

async function decide(router: Router, request: unknown): Promise<DecisionBody> {
  const body = Buffer.from(JSON.stringify(request));
  return decisionBody(router, await router.route(readAsk(null, body), undefined), null);
}

async function routeLines(router: Router): Promise<void> {
  if (process.stdin.isTTY) console.error('Reading JSON lines from standard input; end with Ctrl-D.');
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    let answer: unknown;
    try {
      answer = await decide(router, JSON.parse(line));
    } catch (error) {
      answer = { error: describeError(error) };
    }
    if (!process.stdout.write(`${JSON.stringify(answer)}\n`)) await once(process.stdout, 'drain');
  }
}

function print(decision: DecisionBody): void {
  console.log(`${decision.expert}\n  ${decision.explanation}`);
  const terms = (decision.terms.for ?? []).map((one) => one.term);
  if (terms.length > 0) console.log(`  Words in favour: ${terms.join(', ')}`);
  const others = decision.ranking.slice(1, 4).map((one) => `${one.expert} ${one.affinity.toFixed(2)}`);
  if (others.length > 0) console.log(`  Next: ${others.join(', ')}`);
}

/** Every part of a decision, in the order in which it was made. */
function printAll(decision: DecisionBody): void {
  const { terms, ranking } = decision;
  const signed = (list: DecisionBody['terms']['for']): string =>
    list.map(({ term, weight }) => `${term} ${weight >= 0 ? '+' : ''}${weight.toFixed(2)}`).join(', ') ||
    'none';
  console.log(`${decision.expert}\n  ${decision.explanation}\n`);
  console.log(`Words read   ${decision.text.replace(/\s+/g, ' ').slice(0, 300)}`);
  console.log(
    `Cluster      ${decision.cluster} (${decision.cluster_name}), stability ${decision.stability.toFixed(2)}${decision.outside ? ', outside' : ''}`,
  );
  const [it, against] = terms.expert === undefined ? ['it', ''] : [terms.expert, `, for ${terms.rival}`];
  console.log(
    `Words        for ${it}: ${signed(terms.for)}\n             against${against}: ${signed(terms.against)}`,
  );
  console.log(`Home         ${decision.home} (${decision.reason})`);
  if (decision.set)
    console.log(
      `Set          ${Math.round(100 * decision.set.coverage)} %: ${decision.set.experts.join(', ')}`,
    );
  console.log();
  const width = Math.max(9, ...ranking.map(({ expert }) => expert.length));
  console.log(
    `${'candidate'.padEnd(width)}  affinity   lost fit +     wait +     load +  prefill =    total`,
  );
  for (const { expert, affinity, cost } of ranking) {
    const seconds = cost
      ? [cost.fit, cost.wait, cost.load, cost.prefill, cost.total]
          .map((one) => `${one.toFixed(3)} s`.padStart(9))
          .join('  ')
      : 'chosen by the request';
    console.log(`${expert.padEnd(width)}  ${affinity.toFixed(3).padStart(8)}  ${seconds}`);
  }
  console.log(
    '\ncost = seconds_per_affinity × (1 − affinity) + expected wait + load of a LoRA adapter + prefill of what is not cached (docs/policies.md)',
  );
}
