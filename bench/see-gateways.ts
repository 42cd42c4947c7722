/**
 * Gateways of several configs in one process, for `bench:see`: what is compared then shares its compiled code, its heap and
 * its luck. Takes a list of `{config, environment}` as JSON, prints the port that tells the process's processor time (in
 * microseconds), then a port for each gateway, in one line of JSON.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway } from '../src/index.ts';

interface Wanted {
  readonly config: string;
  readonly environment: Readonly<Record<string, string>>;
}

const ports: number[] = [];
for (const { config, environment } of JSON.parse(process.argv[2]!) as readonly Wanted[]) {
  const gateway = await createGateway(config, { probes: false, log: console.error, environment });
  ports.push(Number(new URL(await gateway.listen({ host: '127.0.0.1', port: 0 })).port));
}
const teller = createServer((_, response) => {
  const { user, system } = process.cpuUsage();
  response.end(String(user + system));
});
await new Promise<void>((resolve) => teller.listen(0, '127.0.0.1', resolve));
console.log(JSON.stringify([(teller.address() as AddressInfo).port, ...ports]));
