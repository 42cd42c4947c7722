/**
 * Limits on what a request may cost before it reaches an expert: the numbers that each step imports, and the table that
 * docs/bounds.md shows.
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
  /** Parts of a form. */
  formParts: 1_000,
  /** Larger bodies are parsed on a separate thread. */
  loopBytes: 2 * MB,
  /** Bodies with more tokens are parsed on that thread too, which returns only what routing reads. */
  loopTokens: 32_768,
  /** Bodies that may queue for the parsing thread. */
  waitingToParse: 64,
  /** Heap of the parsing thread, MB. */
  threadHeapMb: 768,
  /** Bytes charged for each byte of a held body: the body itself, up to two edited copies, its text as strings. */
  chargePerByte: 4,
  /** Bytes charged for each token of a body whose parsed tree is held. */
  chargePerToken: 64,
  /** User turns that are classified. */
  turns: 8,
  /** UTF-16 units read from the user turn being classified; longer texts are sampled. */
  turnUnits: 12_288,
  /** The same for system prompts and earlier turns. */
  contextUnits: 2_048,
  /** Longest run of combining marks that is read, as in Unicode's Stream-Safe Text Format (UAX #15, section 13). */
  marks: 30,
  /** Factor by which a text may grow when it is normalised. */
  growth: 2,
  /** Characters of a role that count towards a conversation's key. */
  roleUnits: 64,
  /** Stop sequences that the gateway itself searches for in an answer, and the maximum characters of each. */
  stops: 32,
  stopUnits: 512,
  /** Conversations of which a process remembers where they live. */
  conversations: 16_384,
  /** Characters of a client's name of its conversation. */
  sessionUnits: 256,
  /** Characters of input that an error quotes. */
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
    cost: 'linear',
    limit: `${LIMITS.headerBytes / KB} KB`,
    beyond: '431',
  },
  {
    step: 'requests that wait to be served',
    cost: 'as many are served in a turn of the event loop as take as long as all else in it, and one at least',
    limit: '10 s of expected wait, 1 s once more than 6,000 have come since there is a queue; 64 MB in all',
    beyond: '429 with Retry-After, at once',
  },
  {
    step: 'body, bytes',
    cost: 'one copy; in memory at most twice what has come, whatever its chunks, or four times where its length is announced',
    limit: '`max_body_mb` (32)',
    beyond: '413',
  },
  {
    step: 'requests that a client sends while it is being answered',
    cost: 'one copy',
    limit: '64 KB in the plain lane; beside Node, as much as its socket buffers',
    beyond: 'the socket is read no more until the answer has ended',
  },
  {
    step: 'bodies held by a process',
    cost: `${LIMITS.chargePerByte} bytes per byte and ${LIMITS.chargePerToken} per token, until the answer ends`,
    limit:
      'half the heap limit, or half of what the container allows if that is less; a single body always passes',
    beyond: '429 with Retry-After',
  },
  {
    step: 'body, structure',
    cost: 'one pass over the bytes as they arrive',
    limit: `depth ${LIMITS.depth}, ${count(LIMITS.tokens)} brackets, commas and colons, ${count(LIMITS.topMembers)} top-level members`,
    beyond: '400 (depth, members) or 413, before anything is parsed',
  },
  {
    step: 'model name of a form',
    cost: 'one pass over the bytes',
    limit: `${count(LIMITS.formParts)} parts, heads of 4 KB`,
    beyond: '400; a larger head names nothing',
  },
  {
    step: 'parsing on the loop',
    cost: 'once; up to 6 ns per byte and 0.4 µs per token',
    limit: `${LIMITS.loopBytes / MB} MB and ${count(LIMITS.loopTokens)} tokens`,
    beyond: 'a separate thread parses it and extracts the text for routing',
  },
  {
    step: 'parsing in the thread',
    cost: 'on the event loop, only the copy of the result',
    limit: `${LIMITS.threadHeapMb} MB of heap; ${LIMITS.waitingToParse} bodies queued`,
    beyond: '413; 429 with Retry-After',
  },
  {
    step: 'translating for an expert that cannot take the body as sent',
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
    step: 'lines that stand in every message',
    cost: 'linear in the text for routing',
    limit: '200 lines of a turn are looked up; 12 numbers each for 8,192 lines are remembered',
    beyond: 'the rest is not looked up; the line that was not seen for longest is forgotten',
  },
  {
    step: 'de-identification, where the config asks for it',
    cost: 'linear in the text for routing',
    limit: 'that of the text for routing',
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
    cost: "quadratic in the length of an expert's id",
    limit: 'names that differ from it in length by no more than a third',
    beyond: 'no suggestion',
  },
  {
    step: 'stop sequences searched for by the gateway',
    cost: 'number of sequences times their length, per piece of an answer',
    limit: `${LIMITS.stops} of ${LIMITS.stopUnits} characters`,
    beyond: '400 from that expert',
  },
  {
    step: 'names of conversations',
    cost: 'a hash or two where there are earlier turns, tools or a name',
    limit: `${LIMITS.sessionUnits} printable ASCII characters; ${count(LIMITS.conversations)} conversations a process`,
    beyond:
      'the next name counts, or none; the conversation that was longest silent is forgotten, and its turns decide',
  },
  {
    step: 'errors',
    cost: '',
    limit: `${LIMITS.echo} characters of input`,
    beyond: 'an ellipsis',
  },
];
