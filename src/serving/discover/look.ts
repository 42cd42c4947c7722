/** Where engines and clouds usually are, and what answers there now. */
import type { Cloud } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import { probe } from '../engines/probe.ts';
import type { Sighting } from '../engines/recognise.ts';
import { lookOverGrpc } from '../experts/triton/look.ts';

export interface Finding {
  /** `http://…`, or `grpc://…` where Triton's gRPC was looked for. */
  readonly address: string;
  readonly sighting: Sighting;
}

/** The ports of this machine that engines listen on by default, and which engines those are. */
export const LOCAL_ADDRESSES: ReadonlyMap<string, readonly string[]> = localAddresses();

export const CLOUDS: readonly Cloud[] = ENGINES.flatMap(({ cloud }) => cloud ?? []);

/** On one machine an engine that is up answers within a few milliseconds; this is for one that is very busy. */
const WITHIN_MS = 600;

/** Looks at every address at once. */
export async function lookAround(addresses: readonly string[]): Promise<readonly Finding[]> {
  return Promise.all(addresses.map(async (address) => ({ address, sighting: await look(address) })));
}

function look(address: string): Promise<Sighting> {
  return address.startsWith('grpc:')
    ? lookOverGrpc(address, WITHIN_MS)
    : probe(new URL(address), { within: WITHIN_MS });
}

function localAddresses(): ReadonlyMap<string, readonly string[]> {
  const engines = new Map<string, string[]>();
  for (const { name, ports = [] } of ENGINES) {
    for (const { protocol, port } of ports) {
      const address = `${protocol}://127.0.0.1:${port}`;
      engines.set(address, [...(engines.get(address) ?? []), name]);
    }
  }
  return engines;
}
