// Errors with a special meaning, and the conversion of thrown values to `failed` frames.

/** Thrown by a handler: the job fails without another attempt. Any error of this name counts, also BullMQ's. */
export class UnrecoverableError extends Error {
  override readonly name = 'UnrecoverableError';
}

/** Thrown by a handler: the job runs again after `delayMs`. Does not count as an attempt. */
export class SnoozeError extends Error {
  override readonly name = 'SnoozeError';
  constructor(
    readonly delayMs: number,
    why = '',
  ) {
    super(why);
  }
}

export type CancelReason = 'cancel' | 'timeout' | 'lock_lost' | 'stop';

/** The `reason` of a run's signal once it is aborted. */
export class RunCancelled extends Error {
  override readonly name = 'RunCancelled';
  readonly code = 'interrupted';
  constructor(
    readonly reason: CancelReason,
    message: string,
  ) {
    super(message);
  }
}

/** The part of an error that a `failed` frame contains. */
export interface Failure {
  message: string;
  stack?: string;
  code?: string;
  final: boolean;
  details?: Record<string, unknown>;
}

const MESSAGE_CHARACTERS = 16 * 1024; // Gaur truncates message and stack to 64 KiB each
const CAUSES = 5;

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}

function cut(value: string): string {
  return value.length <= MESSAGE_CHARACTERS ? value : `${value.slice(0, MESSAGE_CHARACTERS)}...`;
}

function plain(thrown: unknown): Failure {
  if (thrown === null || thrown === undefined) return { message: `the handler threw ${text(thrown)}`, final: false };
  if (typeof thrown !== 'object') return { message: text(thrown), final: false };
  try {
    return { message: JSON.stringify(thrown) ?? text(thrown), final: false };
  } catch {
    return { message: text(thrown), final: false };
  }
}

function stackOf(error: Error): string {
  let stack = text(error.stack ?? '');
  let cause: unknown = error.cause;
  for (let i = 0; i < CAUSES && cause instanceof Error; i += 1, cause = cause.cause) {
    stack += `\ncaused by: ${text(cause.stack ?? cause.message)}`;
  }
  return stack;
}

/** Converts any thrown value. The message of an Error is kept exactly, as Bull keeps it in `failedReason`. */
export function failureOf(thrown: unknown): Failure {
  const like = thrown as { message?: unknown; name?: unknown; code?: unknown; final?: unknown; details?: unknown };
  if (!(thrown instanceof Error) && typeof like?.message !== 'string') return plain(thrown);
  const error = thrown as Error;
  const failure: Failure = {
    message: cut(text(error.message) || text(error.name)),
    final: error.name === 'UnrecoverableError' || like.final === true,
  };
  const stack = stackOf(error);
  if (stack !== '') failure.stack = cut(stack);
  if (typeof like.code === 'string' && /^[\w.-]{1,64}$/.test(like.code)) failure.code = like.code;
  if (like.details !== null && typeof like.details === 'object' && !Array.isArray(like.details)) {
    failure.details = like.details as Record<string, unknown>;
  }
  return failure;
}
