/** The values of the Helm chart, with the replicas that experts may have: a new file, or an edited one. */
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { UserError } from '../core/errors.ts';

export interface Scale {
  readonly id: string;
  /** Name of the Deployment that is scaled, where the file names none. */
  readonly target: string;
  readonly min: number;
  /** At least 1. */
  readonly max: number;
  /** What its servers should be, on one line. */
  readonly note: string;
}

/** Begins the comments that are ours to replace. */
const MARK = ' Advised: ';

/**
 * @param before the file as it is, with its comments; null for none
 * @param config the router's, for a new file
 * @throws UserError where the file is no map of values, its experts are no list, or it has several gateways that
 *   share nothing
 */
export function helmValues(
  before: string | null,
  config: Readonly<Record<string, unknown>>,
  scales: readonly Scale[],
): string {
  const { listen: _, ...own } = config;
  const document = parseDocument(before ?? '{}');
  if (document.errors.length > 0) throw new UserError(`it is no YAML: ${document.errors[0]!.message}`);
  if (!isMap(document.contents)) throw new UserError('it is no map of values.');
  if (before === null) document.contents = document.createNode({ config: own, experts: [] }) as never;
  // Gateways tell each other through Redis what they hold; without one, the scaler knows of one alone.
  const shared = hasRedis(document.has('config') ? document.toJS().config : config);
  if (!document.has('replicas') && !shared) document.set('replicas', 1);
  if (!document.has('experts')) document.set('experts', document.createNode([]));
  if (!shared && document.get('replicas') !== 1)
    throw new UserError(
      'it has `replicas` above 1, which count together through Redis alone: set config.limits.redis, or replicas: 1.',
    );
  const experts = document.get('experts');
  if (!isSeq(experts)) throw new UserError('its `experts` are no list.');
  experts.flow = false;
  for (const scale of scales) set(document, experts, scale);
  return document.toString({ lineWidth: 0 });
}

function hasRedis(config: unknown): boolean {
  return (config as { limits?: { redis?: unknown } } | null)?.limits?.redis !== undefined;
}

function set(document: Document, experts: YAMLSeq, { id, target, min, max, note }: Scale): void {
  let entry = experts.items.find((item): item is YAMLMap => isMap(item) && item.get('id') === id);
  if (!entry) {
    entry = document.createNode({ id }) as YAMLMap;
    experts.add(entry);
  }
  if (!entry.has('scale')) entry.set('scale', document.createNode({ target: { name: target } }));
  entry.setIn(['scale', 'min'], min);
  entry.setIn(['scale', 'max'], max);
  const pair = entry.items.find(({ key }) => (isScalar(key) ? key.value : key) === 'scale')!;
  const key = isScalar(pair.key) ? pair.key : document.createNode('scale');
  pair.key = key;
  if (!key.commentBefore || key.commentBefore.startsWith(MARK)) key.commentBefore = `${MARK}${note}`;
}
