/** To write a kind of expert of your own, for the `kinds` of `createGateway`. */
export { z } from 'zod';
export { RouterError, UserError } from './core/errors.ts';
export { defineExpert } from './serving/experts/define.ts';
export type {
  EngineDescription,
  Expert,
  ExpertRequest,
  Generation,
  Health,
  Outcome,
  ReplySink,
  ReportedLoad,
} from './serving/experts/expert.ts';
export type { ExpertDeps, ExpertKind, OpenProgress, ProgressLine } from './serving/experts/kind.ts';
export { lastText, readMessages, type TextMessage } from './serving/experts/messages.ts';
export { type Parameters, readParameters } from './serving/experts/parameters.ts';
export { idPrefix, type Reply, type ReplyFacts } from './serving/experts/reply.ts';
export { RunningGenerations, type Work } from './serving/experts/running.ts';
