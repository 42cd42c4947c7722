/**
 * A request inside an engine: what was asked, how far it has come, which blocks it holds.
 */
import type { Prefix } from './kv-cache.ts';

export interface GenerationRequest {
  /** Unique within a replica. */
  readonly id: number;
  readonly promptTokens: number;
  /** Tokens it will generate, at least one. The engine reserves for exactly these. */
  readonly outputTokens: number;
  readonly prefix?: Prefix;
}

export interface Sequence {
  request: GenerationRequest;
  phase: 'waiting' | 'prefilling' | 'decoding' | 'done';
  /** Tokens that must be in the cache before the next token: the prompt, after a preemption also what was generated. */
  target: number;
  /** Of these, tokens already in the cache. */
  prefilled: number;
  /** Of what is left, tokens that the step under way reads. */
  chunk: number;
  /** Tokens generated before `joinedStep`. */
  generated: number;
  /** The engine's step count when it began to decode. */
  joinedStep: number;
  /** Blocks of its own, shared prefix blocks not counted. */
  ownBlocks: number;
  /** Tokens covered by pinned prefix blocks; 0 when none are held. */
  pinnedTokens: number;
  /** Place among the admitted sequences. */
  place: number;
  /** How many were admitted before it. */
  admission: number;
}

export function newSequence(request: GenerationRequest): Sequence {
  return {
    request,
    phase: 'waiting',
    target: request.promptTokens,
    prefilled: 0,
    chunk: 0,
    generated: 0,
    joinedStep: 0,
    ownBlocks: 0,
    pinnedTokens: 0,
    place: 0,
    admission: 0,
  };
}

/** An answered request's sequence for another request. */
export function renewed(sequence: Sequence, request: GenerationRequest): Sequence {
  sequence.request = request;
  sequence.phase = 'waiting';
  sequence.target = request.promptTokens;
  sequence.prefilled = 0;
  sequence.chunk = 0;
  sequence.generated = 0;
  sequence.ownBlocks = 0;
  sequence.pinnedTokens = 0;
  return sequence;
}
