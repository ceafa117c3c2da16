// The context of a run, for its handler.
import { AsyncLocalStorage } from 'node:async_hooks';
import { applyGrant, withGrant, type Grant } from './duckdb.js';
import { RunCancelled, type CancelReason } from './errors.js';
import type { Frame } from './frames.js';

/** The job behind a run. */
export interface JobInfo {
  readonly id: string;
  readonly queue: string;
  readonly name: string;
  readonly function: string;
  /** The job's data as it was added. */
  readonly data: unknown;
  /** From 1. */
  readonly attempt: number;
  /** The fencing number: grows with every start of this job. */
  readonly started: number;
  /** 0: no deadline. */
  readonly timeoutMs: number;
}

export interface RunContext extends Grant {
  readonly job: JobInfo;
  /** Name of this run in Gaur's log. */
  readonly run: string;
  /** Threads that this run may use. */
  readonly threads: number;
  /** Bytes that this run may use; 0: not limited. */
  readonly memoryBytes: number;
  /** Aborted when the run must end: cancelled, over its deadline, or the runner stops. `signal.reason` is a RunCancelled. */
  readonly signal: AbortSignal;
  /** Scratch folder of this runner, removed after it. */
  readonly tmpFolder: string;
  /** Folder for result files, see resultFile(). */
  readonly outFolder: string;
  /** Reports any JSON value. The newest one is sent, at most 20 times a second. */
  progress(value: unknown): void;
  /** Adds a line to the job's log. */
  log(line: string): void;
  /** Sets this run's threads and memory on a DuckDB connection. */
  applyGrant(connection: object): Promise<void>;
  /** The same; then runs the call and interrupts the connection's query when the run is cancelled. */
  withGrant<C extends object, T>(connection: C, call: (connection: C) => PromiseLike<T> | T): Promise<T>;
}

export type Handler = (data: any, context: RunContext) => unknown;

const storage = new AsyncLocalStorage<RunContext>();

/** The run of the calling handler, also in functions that it calls; undefined elsewhere. */
export function currentRun(): RunContext | undefined {
  return storage.getStore();
}

export function within<T>(context: RunContext, call: () => T): T {
  return storage.run(context, call);
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

function variable(name: string): number {
  return number(Number(process.env[name]), 0);
}

function jobOf(frame: Frame): JobInfo {
  return {
    id: String(frame['id'] ?? ''),
    queue: String(frame['queue'] ?? ''),
    name: String(frame['name'] ?? ''),
    function: String(frame['function'] ?? frame['name'] ?? ''),
    data: frame['data'] ?? null,
    attempt: number(frame['attempt'], 1),
    started: number(frame['started'], 1),
    timeoutMs: number(frame['timeout_ms'], 0),
  };
}

/** One run, from its frame to its outcome. */
export class Run implements RunContext {
  readonly job: JobInfo;
  readonly run: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly tmpFolder = process.env['GAUR_TMP'] ?? '';
  readonly outFolder = process.env['GAUR_OUT'] ?? '';
  private readonly abort = new AbortController();

  constructor(
    frame: Frame,
    private readonly send: { progress(run: Run, value: unknown): void; log(run: Run, line: string): void },
  ) {
    this.job = jobOf(frame);
    this.run = String(frame['run'] ?? '');
    this.threads = Math.max(1, number(frame['threads'], 0) || variable('GAUR_THREADS'));
    this.memoryBytes = number(frame['memory'], 0) || variable('GAUR_MEMORY');
    // Handlers may destructure the context: const { progress, log } = context.
    this.progress = this.progress.bind(this);
    this.log = this.log.bind(this);
    this.applyGrant = this.applyGrant.bind(this);
    this.withGrant = this.withGrant.bind(this);
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  cancel(reason: CancelReason, message: string): void {
    if (!this.abort.signal.aborted) this.abort.abort(new RunCancelled(reason, message || reason));
  }

  progress(value: unknown): void {
    this.send.progress(this, value);
  }

  log(line: string): void {
    this.send.log(this, line);
  }

  applyGrant(connection: object): Promise<void> {
    return applyGrant(connection, this);
  }

  withGrant<C extends object, T>(connection: C, call: (connection: C) => PromiseLike<T> | T): Promise<T> {
    return withGrant(connection, this, call);
  }
}
