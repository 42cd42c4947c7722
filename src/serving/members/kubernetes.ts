/** The pods behind a Service, by its EndpointSlices, or those of an InferencePool, by its selector. */
import { ListWatch, type ListWatchSurroundings } from './list-watch.ts';
import { type Pod, type Pool, podSchema, poolAddresses, poolSchema, selectorOf } from './pool.ts';
import { portProblem, readyAddresses, type Slice, sliceSchema } from './slices.ts';
import type { Source, Surroundings } from './source.ts';

export interface KubernetesOptions {
  /** This or a pool. */
  readonly service?: string | undefined;
  readonly pool?: string | undefined;
  readonly namespace?: string | undefined;
  readonly port?: number | string | undefined;
  readonly credentials: string;
}

export function watchKubernetes(options: KubernetesOptions, around: Surroundings): Source {
  const { pool, service } = options;
  return pool === undefined ? watchService(service!, options, around) : new PoolWatch(pool, options, around);
}

function watchService(service: string, options: KubernetesOptions, around: Surroundings): Source {
  const { port, namespace, credentials } = options;
  return new ListWatch<Slice>(
    {
      group: 'discovery.k8s.io/v1',
      resource: 'endpointslices',
      what: `EndpointSlices of Service '${service}'`,
      namespace,
      credentials,
      selector: { labelSelector: `kubernetes.io/service-name=${service}` },
      schema: sliceSchema,
      problem: (slices) => {
        const problem = portProblem(slices, port);
        return problem && `Service '${service}': ${problem}.`;
      },
    },
    { ...around, tell: (slices) => around.tell(readyAddresses(slices, port)) },
  );
}

interface WatchedPods {
  readonly selector: string;
  readonly source: Source;
  /** Null until they have been listed. */
  found: readonly Pod[] | null;
}

/** Two watches: of the pool, which says which pods and ports, and of those pods. */
class PoolWatch implements Source {
  readonly #name: string;
  readonly #options: KubernetesOptions;
  readonly #around: Surroundings;
  readonly #pool: Source;
  /** Of the pods that the pool selects now. */
  #pods: WatchedPods | null = null;
  #ports: readonly number[] = [];
  /** Of each of the two; what the pool lacks is said first. */
  readonly #troubles: { pool: string | null; pods: string | null } = { pool: null, pods: null };

  constructor(name: string, options: KubernetesOptions, around: Surroundings) {
    this.#name = name;
    this.#options = options;
    this.#around = around;
    const { namespace, credentials } = options;
    this.#pool = new ListWatch<Pool>(
      {
        group: 'inference.networking.k8s.io/v1',
        resource: 'inferencepools',
        what: `InferencePool '${name}'`,
        namespace,
        credentials,
        selector: { fieldSelector: `metadata.name=${name}` },
        schema: poolSchema,
        problem: ([pool]) => (pool ? null : `There is no InferencePool '${name}'.`),
      },
      this.#surroundings('pool', ([pool]) => this.#selected(pool ?? null)),
    );
  }

  close(): void {
    this.#pool.close();
    this.#pods?.source.close();
  }

  #selected(pool: Pool | null): void {
    const selector = pool && selectorOf(pool);
    const { port } = this.#options;
    this.#ports =
      typeof port === 'number' ? [port] : (pool?.spec.targetPorts ?? []).map(({ number }) => number);
    if (this.#pods && this.#pods.selector === selector) {
      this.#tell();
      return;
    }
    this.#pods?.source.close();
    this.#pods = null;
    this.#troubled('pods', null);
    if (selector === null) this.#around.tell([]);
    else this.#follow(selector);
  }

  #follow(selector: string): void {
    const { namespace, credentials } = this.#options;
    const source = new ListWatch<Pod>(
      {
        group: 'v1',
        resource: 'pods',
        what: `Pods of InferencePool '${this.#name}'`,
        namespace,
        credentials,
        selector: { labelSelector: selector },
        schema: podSchema,
        problem: () => null,
      },
      this.#surroundings('pods', (found) => {
        pods.found = found;
        this.#tell();
      }),
    );
    const pods: WatchedPods = { selector, source, found: null };
    this.#pods = pods;
  }

  #surroundings<Item>(
    which: 'pool' | 'pods',
    tell: (items: readonly Item[]) => void,
  ): ListWatchSurroundings<Item> {
    const { environment, random } = this.#around;
    return { environment, random, tell, trouble: (problem) => this.#troubled(which, problem) };
  }

  /** Nothing until the pods have been listed: what was found last stays in force. */
  #tell(): void {
    const found = this.#pods?.found ?? null;
    if (found !== null) this.#around.tell(poolAddresses(found, this.#ports));
  }

  #troubled(which: 'pool' | 'pods', problem: string | null): void {
    this.#troubles[which] = problem;
    this.#around.trouble(this.#troubles.pool ?? this.#troubles.pods);
  }
}
