/** gRPC health checking, by the names that gateways and Kubernetes ask for. */
import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { EXT_PROC_SERVICE } from './protocol.ts';

interface Asked {
  readonly service?: string;
}
interface Told {
  readonly status: number;
}
type Watcher = ServerWritableStream<Asked, Told>;

const SERVING = 1;
const NOT_SERVING = 2;
const UNKNOWN = 3;

/** Alive says nothing of readiness; all other names do. */
const LIVENESS = 'liveness';
const NAMES = new Set(['', LIVENESS, 'readiness', EXT_PROC_SERVICE]);

export class HealthService {
  readonly #watchers = new Map<Watcher, number>();
  #ready = false;

  readonly implementation: UntypedServiceImplementation = {
    Check: (call: ServerUnaryCall<Asked, Told>, done: sendUnaryData<Told>) => {
      const found = this.#statusOf(call.request.service ?? '');
      if (found === UNKNOWN) done({ code: status.NOT_FOUND, details: 'There is no such service here.' });
      else done(null, { status: found });
    },
    Watch: (call: Watcher) => {
      this.#watchers.set(call, -1);
      call.on('cancelled', () => this.#watchers.delete(call));
      call.on('close', () => this.#watchers.delete(call));
      this.#tell(call);
    },
  };

  /** Tells whoever watches, where it has changed. */
  set(ready: boolean): void {
    this.#ready = ready;
    for (const watcher of this.#watchers.keys()) this.#tell(watcher);
  }

  /** Ends the watching: a server that closes waits for every call. */
  close(): void {
    this.set(false);
    for (const watcher of this.#watchers.keys()) watcher.end();
    this.#watchers.clear();
  }

  #tell(watcher: Watcher): void {
    const found = this.#statusOf(watcher.request.service ?? '');
    if (this.#watchers.get(watcher) === found) return;
    this.#watchers.set(watcher, found);
    watcher.write({ status: found });
  }

  #statusOf(service: string): number {
    if (!NAMES.has(service)) return UNKNOWN;
    return this.#ready || service === LIVENESS ? SERVING : NOT_SERVING;
  }
}
