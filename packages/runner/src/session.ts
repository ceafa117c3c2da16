// A runner process: boot, ready, one run at a time, stop. At most one session in a process.
import { failureOf, SnoozeError, type CancelReason, type Failure } from './errors.js';
import { FrameWriter, hasDescriptors, MOST_FRAME_BYTES, readFrames, type Frame } from './frames.js';
import { isDiscarded } from './bull.js';
import { currentRun, Run, within, type Handler } from './context.js';
import { NotJsonError, toJson } from './json.js';
import { ResultFile } from './plan.js';

const PROTOCOL = 1;
const PROGRESS_EVERY_MS = 50;
const MOST_WAITING_BYTES = 1024 * 1024; // of log lines that Gaur has not read yet
const DEFAULT_CLOSE_MS = 1500; // Gaur's stop_grace is 2 s
const FRAME_OVERHEAD = 4096; // of the other members of a frame

/** The result of a boot: the functions, and a function that closes its resources. */
export interface Booted {
  functions: ReadonlyMap<string, Handler>;
  close?: (() => unknown) | undefined;
}

export interface SessionOptions {
  /** Shown in Gaur's log. */
  name?: string;
  /** How long a stop waits for the run and for close(), in ms. Default 1500. */
  closeTimeoutMs?: number;
}

const CANCEL_REASONS: readonly CancelReason[] = ['cancel', 'timeout', 'lock_lost', 'stop'];

function logError(line: string): void {
  process.stderr.write(`gaur-runner: ${line}\n`);
}

/** True once a session was started in this process. */
let started = false;

class Session {
  private readonly writer = new FrameWriter(
    () => this.exit(1, 'Gaur no longer reads the frames of this runner'),
    () => this.drained(),
  );
  private booted: Booted | undefined;
  private current: Run | undefined;
  private finished: Promise<void> = Promise.resolve(); // of the current run
  private progress: { value: unknown } | undefined; // the newest value, not sent yet
  private progressTimer: NodeJS.Timeout | undefined;
  private progressSent = -Infinity;
  private lostLines = 0;
  private stopping = false;
  private isLastRun = false; // set by an uncaught error: the process exits after the current run

  constructor(private readonly options: SessionOptions) {}

  async start(boot: () => Promise<Booted>): Promise<void> {
    process.on('uncaughtException', (error, origin) => this.uncaught(error, origin));
    readFrames({
      frame: (frame) => this.handle(frame),
      broken: (what) => this.exit(1, `not a frame: ${what}`),
      end: () => void this.stop(),
    });
    try {
      this.booted = await boot();
    } catch (error) {
      return this.exit(1, `cannot start: ${(error as Error)?.stack ?? error}`);
    }
    if (this.stopping) return; // stop() does not wait for a boot
    this.writer.write(JSON.stringify({ type: 'ready', protocol: PROTOCOL, name: this.options.name ?? `@gaur/runner, Node ${process.versions.node}` }));
  }

  private handle(frame: Frame): void {
    if (frame.type === 'run' && !this.stopping) this.run(frame);
    else if (frame.type === 'cancel') this.cancel(frame);
    else if (frame.type === 'stop') void this.stop();
  }

  private run(frame: Frame): void {
    const run = new Run(frame, { progress: (of, value) => this.reportProgress(of, value), log: (of, line) => this.sendLog(of, line) });
    this.current = run;
    this.progressSent = -Infinity;
    this.finished = this.execute(run);
  }

  private async execute(run: Run): Promise<void> {
    let line: string;
    try {
      const handler = this.booted?.functions.get(run.job.function);
      if (handler === undefined) throw this.unknown(run.job.function);
      line = this.completed(run, await within(run, () => handler(run.job.data, run)));
    } catch (error) {
      line = this.ended(run, error);
    }
    this.finish(run, line);
  }

  /** Sends the outcome. No frame of this run follows it. */
  private finish(run: Run, line: string): void {
    if (this.current !== run) return; // an uncaught error has ended it
    this.flushProgress();
    this.current = undefined;
    if (!this.isLastRun) return this.writer.write(line);
    // `last`: Gaur sends no job to a process that is about to exit.
    this.stopping = true;
    setTimeout(() => process.exit(1), 1000).unref();
    this.writer.write(line.replace(/}$/, ',"last":true}'), () => process.exit(1));
  }

  private unknown(name: string): Error {
    const names = [...(this.booted?.functions.keys() ?? [])].join(', ');
    return Object.assign(new Error(`there is no function ${name}; there are ${names}`), { code: 'unknown_function', final: true });
  }

  private completed(run: Run, value: unknown): string {
    const withFile = value instanceof ResultFile;
    const result = toJson(withFile ? value.result : value, `the result of ${run.job.function}`);
    const bytes = Buffer.byteLength(result);
    if (bytes > MOST_FRAME_BYTES - FRAME_OVERHEAD) {
      throw new NotJsonError('too_large', `the result has ${bytes} bytes: write a file, and return resultFile()`);
    }
    const file = withFile ? `,"file":${JSON.stringify({ name: value.name, format: value.info.format, rows: value.info.rows ?? 0 })}` : '';
    return `{"type":"completed","run":${JSON.stringify(run.run)},"result":${result}${file}}`;
  }

  private ended(run: Run, error: unknown): string {
    if (error instanceof SnoozeError || (error as Error)?.name === 'SnoozeError') {
      const { delayMs, message } = error as SnoozeError;
      const delay = Number.isFinite(delayMs) ? Math.max(0, Math.round(delayMs)) : 0;
      return JSON.stringify({ type: 'snooze', run: run.run, delay_ms: delay, message });
    }
    const failure = failureOf(error);
    if (isDiscarded(run)) failure.final = true;
    if (run.signal.aborted) failure.code = 'interrupted';
    return this.failed(run, failure);
  }

  private failed(run: Run, failure: Failure): string {
    const { details, ...plain } = failure;
    let more = '';
    try {
      if (details !== undefined) more = `,"details":${toJson(details, 'details')}`;
    } catch {
      more = '';
    }
    if (more.length > 32 * 1024) more = '';
    return toJson({ type: 'failed', run: run.run, code: 'error', ...plain }, 'the error').replace(/}$/, () => `${more}}`);
  }

  private cancel(frame: Frame): void {
    const run = this.current;
    if (run === undefined || run.run !== frame['run']) return;
    const reason = CANCEL_REASONS.find((known) => known === frame['reason']) ?? 'cancel';
    run.cancel(reason, typeof frame['message'] === 'string' ? frame['message'] : '');
  }

  private reportProgress(of: Run, value: unknown): void {
    if (this.current !== of) return; // sent after the outcome
    this.progress = { value };
    if (this.writer.isFull) return; // drained() sends the newest
    const wait = this.progressSent + PROGRESS_EVERY_MS - performance.now();
    if (wait <= 0) this.flushProgress();
    else this.progressTimer ??= setTimeout(() => this.flushProgress(), wait).unref();
  }

  private flushProgress(): void {
    clearTimeout(this.progressTimer);
    this.progressTimer = undefined;
    const newest = this.progress;
    this.progress = undefined;
    if (newest === undefined || this.current === undefined) return;
    this.progressSent = performance.now();
    let value: string;
    try {
      value = toJson(newest.value, 'progress');
    } catch (error) {
      return this.sendLog(this.current, (error as Error).message);
    }
    if (value.length > MOST_WAITING_BYTES) return this.sendLog(this.current, `progress of ${value.length} characters is too large`);
    this.writer.write(`{"type":"progress","run":${JSON.stringify(this.current.run)},"value":${value}}`);
  }

  private sendLog(of: Run, line: string): void {
    if (this.current !== of) return;
    if (this.writer.waitingBytes > MOST_WAITING_BYTES) {
      this.lostLines += 1;
      return;
    }
    const text = String(line);
    const cut = text.length > 16 * 1024 ? text.slice(0, 16 * 1024) : text; // Gaur stores at most this
    this.writer.write(toJson({ type: 'log', run: of.run, line: cut }, 'a log line'));
  }

  private drained(): void {
    const lost = this.lostLines;
    this.lostLines = 0;
    if (this.current === undefined) return;
    if (lost > 0) this.sendLog(this.current, `${lost} log lines were dropped: they arrived faster than Gaur read them`);
    if (this.progress !== undefined) this.flushProgress();
  }

  /** The state of the process is unknown after an uncaught error: the run that caused it fails, and the process exits. */
  private uncaught(error: unknown, origin: string): void {
    const kind = origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception';
    const run = this.current;
    const from = currentRun();
    const text = (error as Error)?.stack ?? String(error);
    if (from !== undefined && from !== run) {
      const cancelled = from.signal.aborted; // errors after a cancel are expected
      logError(`${kind} of run ${from.run}, which ${cancelled ? 'was cancelled' : 'has ended'}: ${text}`);
      if (cancelled) return;
    } else {
      logError(`${kind}: ${text}`);
    }
    if (run === undefined) return this.exit(1, 'the process exits');
    this.isLastRun = true;
    if (from !== undefined && from !== run) return; // another run's error must not fail this one
    const failure = failureOf(error);
    failure.message = `${kind}: ${failure.message}`;
    failure.code = 'uncaught';
    this.finish(run, this.failed(run, failure));
  }

  /** Cancels the run, calls close(), and exits with code 0 within closeTimeoutMs. */
  private async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    const timeout = this.options.closeTimeoutMs ?? DEFAULT_CLOSE_MS;
    setTimeout(() => this.exit(0, `the run did not end within ${timeout} ms of the stop`), timeout);
    this.current?.cancel('stop', 'the runner stops');
    await this.finished;
    try {
      await this.booted?.close?.();
    } catch (error) {
      logError(`closing failed: ${(error as Error)?.stack ?? error}`);
    }
    this.exit(0);
  }

  private exit(code: number, why = ''): void {
    if (why !== '') logError(why);
    process.exit(code);
  }
}

/**
 * Makes this process a runner. `boot` runs once, before `ready`. Resolves when the runner is ready. A process that
 * cannot boot exits with code 1, a stopped one with code 0.
 */
export async function startSession(boot: () => Promise<Booted>, options: SessionOptions): Promise<void> {
  if (started) throw new Error('this process is already a runner: call run() or runNest() once');
  started = true;
  if (process.env['GAUR_PROTOCOL'] === undefined || !hasDescriptors()) {
    logError('this program is started by Gaur, with frames on descriptors 3 and 4. To test it: gaur runner-check -- node YOUR_FILE');
    process.exit(2);
  }
  await new Session(options).start(boot);
}
