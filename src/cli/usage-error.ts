import { UserError } from '../core/errors.ts';

/** A command line that asks for what it cannot mean: options that exclude each other, a value that is none. */
export class UsageError extends UserError {}
