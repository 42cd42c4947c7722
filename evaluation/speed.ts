/**
 * `npm run bench:simulator:speed`: measures how long it takes to simulate ten minutes, for growing numbers of users and
 * GPUs.
 */
import { nearest } from '../src/deciding/routing/policies/nearest.ts';
import { bindPolicy } from '../src/deciding/routing/policy.ts';
import { deployment } from '../src/simulating/deployment.ts';
import { simulateFleet } from '../src/simulating/fleet/event-loop.ts';
import { ringPrompts } from '../src/simulating/fleet/prompts.ts';
import { DEFAULT_LIMITS } from '../src/simulating/memory.ts';
import { zipfShares } from '../src/simulating/workload/clusters.ts';
import { NAMED_LENGTHS } from '../src/simulating/workload/lengths.ts';
import { runScript } from './script.ts';

const SIZES = [
  { users: 100, experts: 8, replicas: 1 },
  { users: 1000, experts: 8, replicas: 1 },
  { users: 10_000, experts: 8, replicas: 10 },
  { users: 100_000, experts: 8, replicas: 125 },
];

await runScript(() => {
  const d = deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' });
  console.log('users    GPUs  requests  tokens/s (simulated)  seconds to simulate ten minutes');
  for (const { users, experts, replicas } of SIZES) {
    const started = performance.now();
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
      policy: bindPolicy(nearest),
      seconds: 570,
      warmupSeconds: 30,
      seed: 1,
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const gpus = experts * replicas;
    console.log(
      `${String(users).padEnd(8)} ${String(gpus).padEnd(5)} ${String(run.requests).padEnd(9)} ${run.tokens_per_second.toFixed(0).padEnd(21)} ${seconds}`,
    );
  }
});
