/**
 * `npm run bench:simulator:speed`: what it costs to simulate ten minutes, for growing numbers of users, experts and GPUs:
 * CPU seconds and memory. Each case runs in a process of its own, so that its peak memory is its own.
 * `-- USERS EXPERTS REPLICAS [POLICY] [SECONDS]` runs one case.
 */
import { spawnSync } from 'node:child_process';
import { POLICIES } from '../src/deciding/routing/policies/index.ts';
import { bindPolicy } from '../src/deciding/routing/policy.ts';
import { deployment } from '../src/simulating/deployment.ts';
import { simulateFleet } from '../src/simulating/fleet/event-loop.ts';
import { ringPrompts } from '../src/simulating/fleet/prompts.ts';
import { DEFAULT_LIMITS } from '../src/simulating/memory.ts';
import { zipfShares } from '../src/simulating/workload/clusters.ts';
import { NAMED_LENGTHS } from '../src/simulating/workload/lengths.ts';
import { runScript } from './script.ts';

/** Users, experts, replicas of each, policy. */
const CASES = [
  [100, 8, 1, 'nearest'],
  [1000, 8, 1, 'nearest'],
  [10_000, 8, 10, 'nearest'],
  [10_000, 80, 1, 'nearest'],
  [10_000, 80, 1, 'spill'],
  [100_000, 8, 125, 'nearest'],
  [100_000, 64, 16, 'nearest'],
  [100_000, 64, 16, 'spill'],
] as const;

function runCase(users: number, experts: number, replicas: number, policy = 'nearest', seconds = 600): void {
  const d = deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' });
  const run = simulateFleet({
    experts: Array.from({ length: experts }, (_, i) => ({
      id: `expert-${i}`,
      deployment: d,
      replicas,
      limits: DEFAULT_LIMITS,
      admission: 'guaranteed-no-evict',
      chunkedPrefill: true,
    })),
    shares: zipfShares(experts, 0),
    prompts: ringPrompts(experts, experts),
    arrivals: { kind: 'closed', users, thinkSeconds: 0 },
    lengths: NAMED_LENGTHS.chat!,
    policy: bindPolicy(POLICIES.find(({ id }) => id === policy)!),
    seconds: 0.95 * seconds,
    warmupSeconds: 0.05 * seconds,
    seed: 1,
  });
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cpu = (userCPUTime + systemCPUTime) / 1e6;
  const cells = [
    ...[users, experts, experts * replicas, policy, run.requests, run.tokens_per_second.toFixed(0)],
    ...[cpu.toFixed(1), (maxRSS / 1024).toFixed(0)],
  ];
  console.log(cells.map((cell) => String(cell).padEnd(12)).join(' '));
}

await runScript(() => {
  const [users, experts, replicas, policy, seconds] = process.argv.slice(2);
  if (users !== undefined) {
    runCase(Number(users), Number(experts), Number(replicas), policy, Number(seconds ?? 600));
    return;
  }
  const heads = ['users', 'experts', 'GPUs', 'policy', 'requests', 'tokens/s', 'CPU s', 'peak MB'];
  console.log(heads.map((head) => head.padEnd(12)).join(' '));
  for (const one of CASES)
    spawnSync(process.execPath, [process.argv[1]!, ...one.map(String)], { stdio: 'inherit' });
});
