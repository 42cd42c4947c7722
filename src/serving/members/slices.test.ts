import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portProblem, readyAddresses, type Slice } from './slices.ts';

const slice = (over: Partial<Slice>): Slice => ({
  metadata: { name: 'one' },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ports: [{ name: 'http', port: 8000 }],
  ...over,
});
const urls = (slices: readonly Slice[], port?: number | string): readonly string[] =>
  readyAddresses(slices, port).map(({ url }) => url);

describe('addresses from EndpointSlices', () => {
  it('takes those that are ready, and those that say nothing of it', () => {
    const endpoints = [
      { addresses: ['10.0.0.1'] },
      { addresses: ['10.0.0.2'], conditions: { ready: true } },
      { addresses: ['10.0.0.3'], conditions: { ready: false } },
      { addresses: ['10.0.0.4'], conditions: { ready: true, terminating: true } },
      { addresses: ['10.0.0.5'], conditions: { ready: null, terminating: null } },
    ];
    expect(urls([slice({ endpoints })])).toEqual([
      'http://10.0.0.1:8000',
      'http://10.0.0.2:8000',
      'http://10.0.0.5:8000',
    ]);
  });

  it('takes a pod of two address families once, by IPv4', () => {
    const pod = { targetRef: { uid: 'pod-1' } };
    const six = slice({ addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'], ...pod }] });
    const four = slice({ endpoints: [{ addresses: ['10.0.0.1'], ...pod }] });
    expect(urls([six, four])).toEqual(['http://10.0.0.1:8000']);
    expect(urls([six])).toEqual(['http://[fd00::1]:8000']);
  });

  it('finds the port by number, by name, or as the only one', () => {
    const ports = [
      { name: 'http', port: 8000 },
      { name: 'metrics', port: 9090 },
    ];
    expect(urls([slice({ ports })], 1234)).toEqual(['http://10.0.0.1:1234']);
    expect(urls([slice({ ports })], 'metrics')).toEqual(['http://10.0.0.1:9090']);
    expect(urls([slice({ ports })])).toEqual([]);
    expect(portProblem([slice({ ports })], undefined)).toMatch(/several ports .*http, metrics.*say which/);
    expect(portProblem([slice({ ports })], 'grpc')).toMatch(/no port 'grpc', but: http, metrics/);
    expect(portProblem([], 'grpc')).toBeNull();
  });

  it('never names an address twice, nor one that is not ready in any slice', () => {
    const endpoint = fc.record({
      addresses: fc.tuple(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3')),
      conditions: fc.record({ ready: fc.boolean(), terminating: fc.boolean() }),
    });
    const slices = fc.array(fc.array(endpoint).map((endpoints) => slice({ endpoints })));
    fc.assert(
      fc.property(slices, (all) => {
        const found = urls(all);
        expect(new Set(found).size).toBe(found.length);
        const ready = all.flatMap(({ endpoints }) =>
          endpoints!.filter(({ conditions: is }) => is!.ready && !is!.terminating),
        );
        const wanted = new Set(ready.map(({ addresses }) => `http://${addresses[0]}:8000`));
        expect(new Set(found)).toEqual(wanted);
      }),
    );
  });
});
