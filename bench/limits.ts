/** Limits on one Redis: how exact they are over several gateways, and what a limited request costs in CPU. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createGateway, type EmbeddedGateway } from '../src/index.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { type RealRedis, redisProgram, startRedis } from '../test/support/redis.ts';

const HELP = `How exact limits are over several gateways on one Redis, and what they cost.

Usage: npm run bench:limits [-- --requests 4000]

Prints admitted ÷ limit for two and four gateways that are asked at once (1 is exact, besides what refills meanwhile),
and CPU per request of this process (client and gateway together) without limits, with limits kept in this
process, and with limits in Redis. Needs redis-server.`;

const LIMIT = 400;

const { values } = parseArgs({
  options: { help: { type: 'boolean' }, requests: { type: 'string', default: '4000' } },
});
if (values.help) console.log(HELP);
else await bench(Number(values.requests));

async function bench(requests: number): Promise<void> {
  const program = redisProgram();
  if (program === null) {
    console.error('There is no redis-server here: install one, or name it in REDIS_SERVER.');
    process.exitCode = 1;
    return;
  }
  const redis = await startRedis(program);
  try {
    for (const replicas of [2, 4]) await exactness(redis, replicas);
    console.log('\nCPU per request, client included, in µs (three rounds):');
    const roomy = 'limits: { requests_per_minute: 100000000, tokens_per_minute: 1000000000 }';
    const variants = [
      ['without limits', '', ''],
      ['in this process', roomy, ''],
      ['in Redis', roomy, `limits: { redis: '${redis.url}', deadline: 5s }`],
    ] as const;
    for (const [name, fields, store] of variants)
      console.log(`  ${name.padEnd(16)} ${await cost(fields, store, requests)}`);
  } finally {
    redis.process.kill('SIGKILL');
    await once(redis.process, 'exit');
  }
}

/** A bucket of a day's money cannot be had without prices; requests in a minute refill, which is taken off. */
async function exactness(redis: RealRedis, replicas: number): Promise<void> {
  const key = `k${replicas}`;
  const all = await Promise.all(
    Array.from({ length: replicas }, () =>
      start(
        key,
        `limits: { requests_per_minute: ${LIMIT} }`,
        `limits: { redis: '${redis.url}', deadline: 10s }`,
      ),
    ),
  );
  const began = performance.now();
  let last = began;
  const statuses = await Promise.all(
    Array.from({ length: LIMIT * 4 }, async (_, index) => {
      const status = await ask(all[index % replicas]!.url, key);
      if (status === 200) last = performance.now();
      return status;
    }),
  );
  const admitted = statuses.filter((status) => status === 200).length;
  const refilled = Math.floor(((last - began) * LIMIT) / 60_000);
  const other = statuses.filter((status) => status !== 200 && status !== 429).length;
  console.log(
    `${replicas} gateways: ${admitted} admitted of ${LIMIT * 4}, limit ${LIMIT} and at most ${refilled} refilled meanwhile: ` +
      `${(admitted / LIMIT).toFixed(4)} of the limit, ${other} answers of another status`,
  );
  await Promise.all(all.map(({ gateway }) => gateway.close({ graceMs: 0 })));
}

async function cost(fields: string, store: string, requests: number): Promise<string> {
  const { gateway, url } = await start('a', fields, store);
  const rounds: number[] = [];
  await load(url, 1000);
  for (let round = 0; round < 3; round += 1) {
    const before = process.cpuUsage();
    await load(url, requests);
    const { user, system } = process.cpuUsage(before);
    rounds.push(Math.round((user + system) / requests));
  }
  await gateway.close({ graceMs: 0 });
  return rounds.join('  ');
}

async function load(url: string, requests: number): Promise<void> {
  let left = requests;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left-- > 0) await ask(url, 'a');
    }),
  );
}

async function start(
  key: string,
  fields: string,
  store: string,
): Promise<{ gateway: EmbeddedGateway; url: string }> {
  const gateway = await createGateway(
    `experts: [{ id: one, kind: emulated }]\n${store}\nkeys:\n  - { name: ${key}, hash: '${hashKey(key)}'${fields && `, ${fields}`} }\n`,
    { probes: false },
  );
  return { gateway, url: await gateway.listen({ host: '127.0.0.1', port: 0 }) };
}

async function ask(url: string, key: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"messages":[{"role":"user","content":"Say yes."}],"max_tokens":5}',
  });
  await answer.arrayBuffer();
  return answer.status;
}
