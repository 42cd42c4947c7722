/** Looks at every place at once and within a short time. What was seen becomes experts elsewhere. */
import { probeGrpc } from '../engines/grpc.ts';
import { probe } from '../engines/probe.ts';
import type { Sighting } from '../engines/recognise.ts';
import type { Place } from './places.ts';

export interface Finding {
  readonly place: Place;
  readonly sighting: Sighting;
}

/** On one machine an engine that is up answers within a few milliseconds; this is for one that is very busy. */
const WITHIN_MS = 600;

export async function lookAround(places: readonly Place[]): Promise<readonly Finding[]> {
  return Promise.all(places.map(async (place) => ({ place, sighting: await look(place.address) })));
}

function look(address: string): Promise<Sighting> {
  const isGrpc = address.startsWith('grpc:');
  const base = new URL(isGrpc ? address.replace('grpc:', 'http:') : address);
  return isGrpc ? probeGrpc(base, WITHIN_MS) : probe(base, { within: WITHIN_MS });
}
