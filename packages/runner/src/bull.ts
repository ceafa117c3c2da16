// A run as the `job` of Bull's processors, for handlers that were written as `handle(job)`.
import type { RunContext } from './context.js';

/** What processors use of Bull's Job. The job's own keys stay Gaur's: nothing here reaches Redis. */
export interface BullLikeJob<T = any> {
  readonly id: string;
  readonly name: string;
  readonly data: T;
  readonly queue: { readonly name: string };
  /** Attempts before this one, as Bull counts. */
  readonly attemptsMade: number;
  /** With a value: reports it. Without: returns the last reported value. */
  progress(value?: unknown): any;
  log(line: string): Promise<void>;
  /** No further attempt if this one fails. */
  discard(): void;
}

const discarded = new WeakSet<RunContext>();

/** Whether the handler called discard(). */
export function isDiscarded(context: RunContext): boolean {
  return discarded.has(context);
}

/**
 * For untouched processors: `[QueryProcessor, 'handle', (data, context) => [bullJob(context)]]`.
 * Verbs that change the job in its queue (update, remove, moveToFailed ...) have no counterpart here and are missing.
 */
export function bullJob<T = any>(context: RunContext): BullLikeJob<T> {
  let reported: unknown = 0;
  return {
    id: context.job.id,
    name: context.job.name,
    data: context.job.data as T,
    queue: { name: context.job.queue },
    attemptsMade: context.job.attempt - 1,
    progress(value?: unknown) {
      if (value === undefined) return reported;
      reported = value;
      context.progress(value);
      return Promise.resolve();
    },
    log(line: string) {
      context.log(line);
      return Promise.resolve();
    },
    discard() {
      discarded.add(context);
    },
  };
}
