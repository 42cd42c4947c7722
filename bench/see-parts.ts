/**
 * The processor time of each part of watching, alone: `npm run bench:see:parts`. A busy machine matters little to it, unlike
 * to `bench:see`.
 */
import { assemble } from '../src/serving/app/assembly.ts';
import { realWorld } from '../src/serving/app/world.ts';
import { expertsNow } from '../src/serving/board/experts-now.ts';
import { merged } from '../src/serving/board/merge.ts';
import { SHIPPED } from '../src/serving/config/catalogue.ts';
import { parseConfig } from '../src/serving/config/load.ts';
import { readAsk } from '../src/serving/dialects/index.ts';
import { OpenNote, type RequestNote } from '../src/serving/front/request-note.ts';
import { decisionLine } from '../src/serving/records/record.ts';
import { SpanBatch } from '../src/serving/telemetry/span-batch.ts';
import { spansOf } from '../src/serving/telemetry/spans.ts';
import { median } from './kit/load.ts';

const ROUNDS = 7;
const CALLS = 20_000;
/** Requests that a second of the board holds here. */
const PER_SECOND = 1_000;

const experts = Array.from({ length: 8 }, (_, i) => `  - { id: e${i}, kind: emulated }`).join('\n');
const { setup, board, telemetry } = await assemble(parseConfig(`experts:\n${experts}\n`, 'bench', {}), {
  world: realWorld({ environment: {} }),
  catalogue: SHIPPED,
  routerModel: null,
  processMetrics: false,
  probes: false,
  reload: async () => {},
  onDecision: () => {},
  onRequest: () => {},
});
const { gateway } = setup.current().context;
const body = Buffer.from('{"messages":[{"role":"user","content":"Why does my Python loop never end?"}]}');
const routed = await gateway.route(readAsk(null, body), undefined);
const spans = { context: { spanId: 'a'.repeat(16), parentId: null }, newSpanId: () => 'b'.repeat(16) };

/** A request from its head to its end, as the front notes it. */
function noted(traced: boolean, opened: (note: OpenNote) => void = () => {}): RequestNote {
  const traceId = 'c'.repeat(32);
  const note = new OpenNote({
    at: Date.now(),
    traceId,
    method: 'POST',
    now: () => performance.now(),
    spans: traced ? spans : null,
    prices: new Map(),
  });
  note.path = '/v1/chat/completions';
  note.read(readAsk(null, body));
  note.routed(routed, 0);
  opened(note);
  const story = note.asked({ expert: routed.decision.expert, replica: routed.decision.expert }, () => 0);
  note.served({ expert: routed.decision.expert, replica: routed.decision.expert, tries: 1 });
  story.answered();
  note.first();
  note.used({ inputTokens: 40, outputTokens: 30, cachedTokens: 12 });
  return { ...note.soFar(), status: 200, whole: true };
}

/** Microseconds of processor time a call; the median over rounds, the first of which is thrown away. */
function timed(calls: number, act: () => unknown): number {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / calls;
  });
  return median(rounds.slice(1));
}

const note = timed(CALLS, () => noted(false));
const withBoard = timed(CALLS, () => board.ended(noted(false, (open) => board.opened(routed, open))));
const ended = noted(false);
const counted = timed(CALLS, () => telemetry.ended(ended));
const { cluster, vector, outside } = routed.classification;
const features = {
  ...routed.decision,
  traceId: ended.traceId,
  space: 'bench',
  vector,
  cluster,
  outside,
  out: [],
  prompt: null,
  shadow: null,
};
const recorded = timed(CALLS, () => JSON.stringify(decisionLine(features, ended)));
const traced = { ...noted(true), span: spans.context };
let batch = new SpanBatch();
const exported = timed(CALLS / 4, () => {
  if (batch.spans >= 512) batch = new SpanBatch();
  batch.add(spansOf(traced, spans.newSpanId));
});
for (let i = 0; i < PER_SECOND; i++) board.ended(noted(false, (open) => board.opened(routed, open)));
const since = Math.floor(Date.now() / 1000) - 3;
const frame = timed(200, () => {
  const { seconds, events, dots } = merged([board.answer({ kind: 'since', second: since })]);
  return JSON.stringify({ seconds, events, dots, experts: expertsNow(gateway.fleet) });
});
const look = timed(200, () => board.look());
console.log(`the request's note                ${note.toFixed(1)} µs a request`);
console.log(
  `the dashboard's memory, besides   ${(withBoard - note).toFixed(1)} µs a request, watched or not`,
);
console.log(`metrics at a request's end        ${counted.toFixed(1)} µs a request`);
console.log(
  `the line of its record            ${recorded.toFixed(1)} µs a request, ${vector.length} numbers in it`,
);
console.log(`spans as bytes, where traced       ${exported.toFixed(1)} µs a request`);
console.log(
  `loads noted once a second         ${look.toFixed(0)} µs, ${(look / 1e4).toFixed(3)} % of a core`,
);
console.log(
  `a frame, while somebody watches   ${frame.toFixed(0)} µs a second, ${(frame / 1e4).toFixed(2)} % of a core`,
);
process.exit(0);
