import { UserError } from '../core/errors.ts';

/** An invalid command line: options that exclude each other, or an invalid value. The exit code is 2. */
export class UsageError extends UserError {}
