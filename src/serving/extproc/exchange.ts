/**
 * One request through Envoy, as one gRPC stream: its head and body are read and decided on, a lease is taken, and Envoy
 * is told whom to ask with which bytes. The answer passes Envoy alone; the stream stays open until it has ended, and
 * its end, whoever's doing it is, gives the lease back.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { RouterError } from '../../core/errors.ts';
import type { Ask } from '../dialects/ask.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { DEFAULT_DIALECT } from '../dialects/index.ts';
import type { Ticket } from '../fleet/group.ts';
import type { LeaseOutcome } from '../fleet/lease.ts';
import type { Replica } from '../fleet/replica.ts';
import { replicaLabel } from '../fleet/replica-label.ts';
import { callerOf, routeAsked } from '../front/asking.ts';
import { refuseModel } from '../front/auth.ts';
import { type BodyShare, PROCESS_BUDGET } from '../front/body-budget.ts';
import type { RouteContext } from '../front/handler.ts';
import { amongAllowed } from '../front/limiting.ts';
import { modelList } from '../front/model-pages.ts';
import { OpenNote, type RequestNote } from '../front/request-note.ts';
import type { ServerOptions } from '../front/server.ts';
import { traceIdOf } from '../front/trace-id.ts';
import { failureAnswer, internal } from '../front/wire.ts';
import type { TryStory } from '../gateway/attempts.ts';
import { shapeOf } from '../gateway/blame.ts';
import type { Caller } from '../gateway/conversations.ts';
import { isInsisted } from '../gateway/gateway.ts';
import { readRequest } from '../gateway/read-request.ts';
import type { Routed } from '../gateway/router.ts';
import { ToldFailure } from '../reply/failure.ts';
import type { Telemetry } from '../telemetry/metrics.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import type { Addresses } from './addresses.ts';
import { bufferedAnswer, duplexAnswer, immediate, mutation } from './answers.ts';
import { endpointsOf, outside, relayable } from './candidates.ts';
import { readHead } from './head.ts';
import { requestChange, responseChange } from './headers.ts';
import { type Metering, meteringOf } from './metering.ts';
import { outcomeOf, resultOf } from './outcome.ts';
import { findPlace, type Place } from './place.ts';
import { BODY_MODE, type ProcessingRequest, type ProcessingResponse } from './protocol.ts';
import {
  admit,
  beginReading,
  type Reading,
  readMore,
  type ServingNow,
  tooSlow,
  wantedAt,
} from './reading.ts';

const NOTHING = Buffer.alloc(0);

export type ProcessCall = ServerDuplexStream<ProcessingRequest, ProcessingResponse>;

export interface ExchangeOptions {
  /** Asked once a request, so that a reload takes effect with the next one. */
  current(): ServingNow;
  readonly telemetry: Telemetry;
  readonly addresses: Addresses;
  log(line: string): void;
  /** Of one request; null where it is not traced. */
  readonly spans: ServerOptions['spans'];
  ended(note: RequestNote): void;
  readonly clock: { epoch(): number; monotonic(): number };
}

/** A request that has its expert. */
interface Relayed extends Place {
  readonly routed: Routed;
  readonly dialect: Dialect;
  readonly ask: Ask;
  readonly by: Caller;
}

export class Exchange {
  readonly #call: ProcessCall;
  readonly #options: ExchangeOptions;
  #traceId = '';
  #note: OpenNote | null = null;
  /** In which errors are told. */
  #dialect: Dialect = DEFAULT_DIALECT;
  #context: RouteContext | null = null;
  #share: BodyShare | null = null;
  #reading: Reading | null = null;
  #deadline: NodeJS.Timeout | undefined;
  #ticket: Ticket | null = null;
  #record: RequestRecord | null = null;
  #story: TryStory | null = null;
  #relayed: Relayed | null = null;
  /** Of a key with limits. */
  #metering: Metering | null = null;
  #responseBodyMode: number = BODY_MODE.none;
  /** Of the answer, and what came of the lease as far as it is known yet. */
  #status: number | null = null;
  #outcome: LeaseOutcome = { kind: 'undecided' };
  /** Everything has been said that this end has to say. */
  #refused = false;
  #over = false;
  readonly #onEnd: () => void;

  /** @param onEnd called once, when the stream has ended */
  constructor(call: ProcessCall, options: ExchangeOptions, onEnd: () => void) {
    this.#call = call;
    this.#options = options;
    this.#onEnd = onEnd;
    call.on('data', (message: ProcessingRequest) => this.#take(message));
    // Envoy ends its side when the request is over, early where the client has left; a stream that breaks says one of
    // the others. Whichever comes first counts.
    for (const event of ['end', 'cancelled', 'close', 'error']) call.on(event, () => this.#end());
  }

  /** Lets Envoy go on alone, which cuts no answer; where nothing is decided yet, refuses. */
  leave(): void {
    if (this.#relayed === null)
      this.#refuse(new RouterError('shutting_down', 'This router is shutting down.', { retryAfter: 1 }));
    else this.#end();
  }

  #take(message: ProcessingRequest): void {
    if (this.#over) return;
    try {
      this.#read(message);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #read(message: ProcessingRequest): void {
    switch (message.request) {
      case 'request_headers':
        this.#begin(message);
        return;
      case 'request_body':
        if (this.#reading) readMore(this.#reading, message.request_body!.body ?? NOTHING);
        if (message.request_body!.end_of_stream) this.#decide(false);
        return;
      case 'request_trailers':
        this.#decide(true);
        return;
      case 'response_headers':
        this.#answered(message);
        return;
      case 'response_body': {
        const { body = NOTHING, end_of_stream = false } = message.response_body!;
        this.#metering?.read(body, end_of_stream);
        const whole = this.#responseBodyMode === BODY_MODE.fullDuplex;
        // Nothing in it is changed, but in that mode a piece that is not sent back is lost.
        const streamed = whole ? { body_mutation: { streamed_response: { body, end_of_stream } } } : {};
        this.#call.write({ response_body: { response: streamed } });
        return;
      }
      case 'response_trailers':
        this.#call.write({ response_trailers: {} });
        return;
      default: // a later Envoy's
    }
  }

  /** The head: whatever can be refused by it is refused before the body has come. */
  #begin(message: ProcessingRequest): void {
    const { clock, current, spans } = this.#options;
    const serving = current();
    const { context, extproc } = serving;
    const head = readHead(message.request_headers!.headers);
    const { traceparent } = head.headers;
    const traceId = traceIdOf(traceparent);
    const note = new OpenNote({
      at: clock.epoch(),
      traceId,
      method: head.method,
      now: clock.monotonic,
      spans: spans(traceparent as string | undefined, traceId),
      prices: serving.prices,
    });
    this.#context = context;
    this.#traceId = traceId;
    this.#note = note;
    this.#responseBodyMode = message.protocol_config?.response_body_mode ?? BODY_MODE.none;
    const wanted = wantedAt(head.path);
    this.#dialect = wanted?.dialect ?? DEFAULT_DIALECT;
    note.path = wanted?.path ?? null;
    const caller = admit(head, wanted, serving);
    note.key = caller?.name ?? null;
    if (wanted!.dialect === null) {
      this.#tell(200, modelList(context, head));
      return;
    }
    this.#share = PROCESS_BUDGET.share();
    this.#reading = beginReading(message, {
      head,
      dialect: wanted!.dialect,
      caller,
      serving,
      share: this.#share,
    });
    const late = (): void => this.#refuse(tooSlow(this.#reading !== null, extproc));
    this.#deadline = setTimeout(late, extproc.deadline);
    if (message.request_headers!.end_of_stream) this.#decide(false);
    // Envoy sends the body only after this.
    else if (this.#reading.buffered) this.#call.write({ request_headers: { response: {} } });
  }

  #decide(trailers: boolean): void {
    const reading = this.#reading;
    if (reading === null) {
      if (trailers && !this.#refused) this.#call.write({ request_trailers: {} });
      return;
    }
    this.#reading = null;
    this.#route(reading, trailers).catch((error: unknown) => this.#refuse(error));
  }

  async #route(reading: Reading, trailers: boolean): Promise<void> {
    const { head, dialect, caller, body, context } = reading;
    const { gateway } = context;
    const ask = await readRequest(dialect, body.whole());
    if (this.#over) return;
    this.#note!.read(ask);
    refuseModel(ask, caller);
    const by = callerOf(head, caller, ask);
    const choice = routeAsked(gateway, ask, head, caller, by);
    const free = choice instanceof Promise ? await choice : choice;
    const routed = amongAllowed(free, caller, context.limiter);
    if (caller && context.limiter?.limits(caller.name))
      this.#metering = await meteringOf(
        context.limiter,
        caller,
        { ask, routed },
        this.#options.clock.epoch(),
      );
    if (this.#over || this.#refused) {
      this.#metering?.end();
      return;
    }
    this.#note!.routed(routed, gateway.expectedWait(routed));
    context.onRouted(routed, this.#note!);
    const groups = relayable(gateway.candidates(routed), ask);
    const { view, decision, classification } = routed;
    const { reason, expert } = decision;
    this.#record = this.#options.telemetry.begin({
      expert,
      cluster: classification.cluster,
      reason,
      dialect: ask.dialect.id,
    });
    const excluded = outside(groups, reading.hint, this.#options.addresses);
    const wanted = {
      tokens: view.promptTokens + view.outputTokens,
      affinityKey: view.prefixKey,
      priority: view.priority,
      tenant: by.tenant,
      shape: () => shapeOf(ask),
      excluded,
    };
    this.#ticket = findPlace(groups, wanted, (result) => {
      if (result instanceof RouterError) this.#refuse(result);
      else this.#relay({ ...reading, ask, by, routed, place: result, excluded, trailers });
    });
  }

  /** Tells Envoy whom to ask. */
  #relay({ ask, by, routed, place, excluded, trailers, ...reading }: Decided): void {
    const { head, dialect, hops, settings, context } = reading;
    const { group, lease, tries } = place;
    clearTimeout(this.#deadline);
    this.#record?.served(group.id, tries);
    this.#metering?.served(group.id, () => this.#note!.gpuUsd);
    this.#relayed = { ...place, ask, by, routed, dialect };
    const who = { expert: group.id, replica: replicaLabel(group, lease.replica), tries };
    const story = this.#note!.asked(who, () => lease.seconds());
    this.#story = story;
    this.#note!.served(who);
    let sent: ReturnType<NonNullable<typeof lease.replica.expert.asSent>>;
    try {
      // The client's own headers pass Envoy by themselves.
      sent = lease.replica.expert.asSent!({
        ask,
        headers: story.headers,
        traceId: this.#traceId,
        insisted: isInsisted(routed),
      });
    } catch (error) {
      this.#refuse(error);
      return;
    }
    const endpoints = settings.endpoints
      ? endpointsOf(group, lease.replica, excluded, this.#options.addresses)
      : null;
    const chosen = { expert: group.id, sent, endpoints, hops };
    const change = requestChange(head, chosen, settings.headers, context.forwarded);
    const request = { change, body: sent.body, endpoints };
    const answers = reading.buffered ? [bufferedAnswer(request)] : duplexAnswer(request, trailers);
    this.#write(answers, () => this.#share?.release());
  }

  /** The head of the answer, which may be Envoy's own where it found nobody. */
  #answered({ response_headers: told, attributes }: ProcessingRequest): void {
    const relayed = this.#relayed;
    if (relayed === null) {
      this.#call.write({ response_headers: { response: {} } });
      return;
    }
    const head = readHead(told!.headers);
    const { group, lease, ask, by, routed, dialect, tries } = relayed;
    this.#status = head.status;
    const epoch = this.#options.clock.epoch();
    this.#outcome = outcomeOf(head, attributes, {
      expert: group.id,
      dialect,
      tenant: by.tenant,
      epoch,
    });
    if (this.#outcome.kind === 'ok') {
      lease.answering();
      this.#context?.gateway.conversations.answered(ask, by, group.id, routed.decision);
      this.#story?.answered();
    } else this.#story?.failed('expert_error', head.status);
    this.#record?.firstByte();
    this.#note?.first();
    const answered = { traceId: this.#traceId, routed, expert: group.id, tries };
    const own = responseChange(head, answered);
    const { change, more } = this.#metering?.begins(head, own) ?? { change: own, more: {} };
    this.#call.write({ response_headers: { response: { header_mutation: mutation(change) } }, ...more });
  }

  /** @param sent called when the last has left */
  #write(messages: readonly ProcessingResponse[], sent: () => void): void {
    messages.forEach((message, index) => {
      if (index === messages.length - 1) this.#call.write(message, sent);
      else this.#call.write(message);
    });
  }

  #refuse(error: unknown): void {
    if (this.#over || this.#refused) return;
    const known =
      error instanceof RouterError || error instanceof ToldFailure
        ? error
        : internal(error, (line) => this.#options.log(`${this.#traceId} ${line}`));
    this.#note?.failed(known);
    const told = this.#context?.redaction.failure(known) ?? known;
    const answer = failureAnswer(told, this.#dialect, this.#traceId);
    const details = known instanceof RouterError ? known.code : 'expert_error';
    this.#record?.end(details, 'unknown');
    this.#sayLast(immediate({ ...answer, headers: this.#traced(answer.headers) }, details), answer.status);
  }

  /** An answer of our own. */
  #tell(status: number, value: unknown): void {
    const headers = this.#traced({ 'content-type': 'application/json; charset=utf-8' });
    const body = Buffer.from(`${JSON.stringify(value)}\n`);
    this.#sayLast(immediate({ status, headers, body }, 'expert_router'), status);
  }

  #traced(headers: Readonly<Record<string, string>>): Record<string, string> {
    return { ...headers, 'x-expert-router-trace-id': this.#traceId };
  }

  #sayLast(message: ProcessingResponse, status: number): void {
    this.#refused = true;
    this.#status = status;
    this.#ticket?.leave();
    this.#drop();
    this.#call.write(message);
    this.#end();
  }

  #drop(): void {
    clearTimeout(this.#deadline);
    this.#reading = null;
    this.#share?.release();
  }

  /** Once, whoever ended it: nothing is held or said any more. */
  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#drop();
    this.#ticket?.leave();
    this.#metering?.end();
    this.#relayed?.lease.end(this.#outcome);
    this.#record?.end(this.#status === null ? 'cancelled' : resultOf(this.#status), 'unknown');
    if (this.#note) {
      const headersSent = this.#status !== null;
      const statusCode = this.#status ?? 0;
      this.#options.ended(this.#note.ended({ headersSent, statusCode, writableFinished: headersSent }));
    }
    this.#call.end();
    this.#onEnd();
  }
}

interface Decided extends Reading {
  readonly ask: Ask;
  readonly by: Caller;
  readonly routed: Routed;
  readonly place: Place;
  readonly excluded: ReadonlySet<Replica>;
  readonly trailers: boolean;
}
