/** Formats a router's experts as a text table, one line per replica. */

/** The fields of an expert in `GET /v1/experts` that the table shows. */
export interface ExpertBody {
  readonly id: string;
  readonly available: boolean;
  readonly queued: number;
  /** In tokens; null for unknown. */
  readonly context: number | null;
  readonly replicas: readonly ReplicaBody[];
}

interface ReplicaBody {
  readonly name: string;
  readonly kind: string;
  /** By an operator, alone or with all of its expert. */
  readonly drained: boolean;
  readonly health: { readonly state: string; readonly detail?: string };
  readonly breaker: string;
  readonly in_flight: number;
  readonly limit: number | null;
  readonly tokens_per_second: number;
  readonly engine: { readonly name: string; readonly version: string | null } | null;
  /** Of a LoRA adapter. */
  readonly adapter?: { readonly resident: boolean | null; readonly load_seconds: number } | null;
  readonly reported: {
    readonly state: string;
    readonly running: number | null;
    readonly waiting: number | null;
    readonly kv_cache_use: number | null;
    readonly age_seconds: number | null;
    readonly others: number;
    readonly full: boolean;
    readonly problem: string | null;
  };
}

const HEAD = ['EXPERT', 'REPLICA', 'ENGINE', 'HEALTH', 'BREAKER', 'OURS', 'QUEUE', 'CONTEXT'];
const HEAD_REPORTED = ['RUN', 'WAIT', 'KV', 'OTHERS', 'REPORT', 'TOK/S'];
const RIGHT = new Set(['OURS', 'QUEUE', 'CONTEXT', 'RUN', 'WAIT', 'KV', 'OTHERS', 'TOK/S']);

/** A table, followed by one line per problem. */
export function expertsTable(experts: readonly ExpertBody[]): string {
  const head = [...HEAD, ...HEAD_REPORTED];
  const rows = experts.flatMap((expert) =>
    expert.replicas.map((replica, index) => [
      index === 0 ? expert.id : '',
      replica.name === expert.id ? '' : replica.name,
      engineOf(replica),
      replica.drained ? 'drained' : replica.health.state,
      replica.breaker,
      `${replica.in_flight}/${replica.limit ?? '∞'}`,
      index === 0 ? String(expert.queued) : '',
      index === 0 ? String(expert.context ?? '-') : '',
      ...reportOf(replica),
      replica.tokens_per_second > 0 ? replica.tokens_per_second.toFixed(0) : '-',
    ]),
  );
  return [aligned([head, ...rows]), ...experts.flatMap(problems)].join('\n');
}

function engineOf({ kind, engine }: ReplicaBody): string {
  return engine ? [engine.name, engine.version].filter((part) => part !== null).join(' ') : kind;
}

function reportOf({ reported }: ReplicaBody): string[] {
  const { state, running, waiting, kv_cache_use: cache, age_seconds: age, others, full } = reported;
  if (state === 'none' || state === 'lost') return ['-', '-', '-', '-', state];
  return [
    count(running),
    count(waiting),
    cache === null ? '-' : `${Math.round(100 * cache)} %${full ? ' full' : ''}`,
    count(others),
    age === null ? state : `${state}, ${age.toFixed(0)} s`,
  ];
}

function count(value: number | null): string {
  return value === null ? '-' : String(Math.round(value * 10) / 10);
}

function problems({ id, replicas }: ExpertBody): string[] {
  return replicas.flatMap(({ name, health, reported }) => [
    // If a replica is down, its unreadable load is not a second problem.
    ...(health.state === 'ready'
      ? reported.problem === null
        ? []
        : [`${id} at ${name}: its load cannot be read: ${reported.problem}`]
      : [`${id} at ${name} is ${health.state}: ${health.detail ?? ''}`]),
  ]);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const head = rows[0]!;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          RIGHT.has(head[column]!) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
