/**
 * What a request may cost before an expert sees it: every step's limit, as numbers the steps import and as the one
 * table that docs/bounds.md shows. It knows nothing of how a step is done.
 */

const KB = 1024;
const MB = 1024 * KB;

export const LIMITS = {
  /** Bytes of request line and headers. */
  headerBytes: 16 * KB,
  /** Levels of lists and objects in a body. */
  depth: 512,
  /** Opening brackets, commas and colons in a body. */
  tokens: 2_000_000,
  /** Members of a body's outermost object. */
  topMembers: 4_096,
  /** A body of more bytes is parsed beside the event loop. */
  loopBytes: 2 * MB,
  /** A body of more tokens is parsed beside the event loop, and only what routing reads of it comes back. */
  loopTokens: 32_768,
  /** Bodies that may wait for the thread that parses. */
  waitingToParse: 64,
  /** Heap of that thread, MB. */
  threadHeapMb: 768,
  /** Charged for each byte of a body that is held: itself, up to two copies with edits, its text as strings. */
  chargePerByte: 4,
  /** Charged for each token of a body whose tree is held. */
  chargePerToken: 64,
  /** User turns that are classified. */
  turns: 8,
  /** UTF-16 units read of the user turn a decision is about; longer texts are sampled. */
  turnUnits: 12_288,
  /** The same of system prompts and earlier turns. */
  contextUnits: 2_048,
  /** Combining marks in a row that are read: Unicode's stream-safe text (UAX #15, 13) has no more. */
  marks: 30,
  /** How many times its length a text may grow when it is normalised. */
  growth: 2,
  /** Characters of a role that tell conversations apart. */
  roleUnits: 64,
  /** Stop sequences that are searched for in an answer here, and characters of each. */
  stops: 32,
  stopUnits: 512,
  /** Characters of input that an error repeats. */
  echo: 100,
} as const;

export interface Bound {
  readonly step: string;
  readonly cost: string;
  readonly limit: string;
  readonly beyond: string;
}

const count = (value: number): string => value.toLocaleString('en');

/** Every step between socket and expert, in order. Costs are CPU on the event loop unless a row says otherwise. */
export const BOUNDS: readonly Bound[] = [
  {
    step: 'headers',
    cost: 'linear, inside Node',
    limit: `${LIMITS.headerBytes / KB} KB`,
    beyond: '431',
  },
  {
    step: 'body, bytes',
    cost: 'one copy; at most twice its size in memory while it grows, whatever its chunks',
    limit: '`max_body_mb` (32)',
    beyond: '413',
  },
  {
    step: 'bodies held by a process',
    cost: `${LIMITS.chargePerByte} bytes a byte and ${LIMITS.chargePerToken} a token, until the answer has ended`,
    limit:
      'half the heap limit, or half of what the container allows if that is less; a body alone always passes',
    beyond: '429 with Retry-After',
  },
  {
    step: 'body, structure',
    cost: 'one pass over the bytes as they arrive',
    limit: `depth ${LIMITS.depth}, ${count(LIMITS.tokens)} brackets, commas and colons, ${count(LIMITS.topMembers)} top-level members`,
    beyond: '400 (depth, members) or 413, before anything is parsed',
  },
  {
    step: 'parsing on the loop',
    cost: 'once; up to 6 ns a byte and 0.4 µs a token',
    limit: `${LIMITS.loopBytes / MB} MB and ${count(LIMITS.loopTokens)} tokens`,
    beyond: 'a thread parses it and finds the text for routing',
  },
  {
    step: 'parsing in the thread',
    cost: 'no CPU of the loop but the copy of the result',
    limit: `${LIMITS.threadHeapMb} MB of heap; ${LIMITS.waitingToParse} bodies in line`,
    beyond: '413; 429 with Retry-After',
  },
  {
    step: 'translating for an expert that does not take the bytes',
    cost: 'linear in the body',
    limit: `${count(LIMITS.loopTokens)} tokens`,
    beyond: '413 from that expert; experts of kind `openai` are relayed any body',
  },
  {
    step: 'text for routing',
    cost: 'sampling before anything else reads the text',
    limit: `${LIMITS.turns} user turns, each ${count(LIMITS.turnUnits)} UTF-16 units and ${count(LIMITS.contextUnits)} for each of three kinds of context`,
    beyond: 'the rest is not read',
  },
  {
    step: 'Unicode normalisation (NFKC)',
    cost: 'linear: runs of marks are cut first',
    limit: `${LIMITS.marks} combining marks in a row; ${LIMITS.growth} times the length`,
    beyond: 'the rest is not read',
  },
  {
    step: 'suggesting a name',
    cost: "the square of an expert's id",
    limit: 'names that differ from it in length by no more than a third',
    beyond: 'no suggestion',
  },
  {
    step: 'stop sequences searched for here',
    cost: 'the sequences times their lengths, a piece of an answer',
    limit: `${LIMITS.stops} of ${LIMITS.stopUnits} characters`,
    beyond: '400 from that expert',
  },
  {
    step: 'errors',
    cost: '',
    limit: `${LIMITS.echo} characters of input`,
    beyond: 'an ellipsis',
  },
];
