// Starts a runner as Gaur does, frames on descriptors 3 and 4, and waits for what it says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
export const packageFolder = dirname(here);
const PATIENCE_MS = 20_000; // for what must happen; other work shares the machine

export function fixture(name) {
  return join(here, 'fixtures', name);
}

export class RunnerProcess {
  frames = [];
  stdout = '';
  stderr = '';
  code = undefined;
  signal = undefined;
  #changed = [];

  /** `args`: what node is given. */
  constructor(args, { env = {}, cwd = here } = {}) {
    this.scratch = mkdtempSync(join(tmpdir(), 'gaur-runner-test-'));
    this.child = spawn(process.execPath, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH, GAUR_PROTOCOL: '1', GAUR_POOL: 'test', GAUR_THREADS: '3', GAUR_MEMORY: '1000000',
        GAUR_TMP: this.scratch, GAUR_OUT: this.scratch, ...env,
      },
    });
    this.child.stdout.on('data', (text) => this.#note(() => (this.stdout += text)));
    this.child.stderr.on('data', (text) => this.#note(() => (this.stderr += text)));
    this.child.stdio[3].on('error', () => {}); // it may be gone before it read everything
    this.answers = this.child.stdio[4];
    createInterface({ input: this.answers }).on('line', (line) => this.#note(() => this.frames.push(JSON.parse(line))));
    this.closed = once(this.child, 'close').then(([code, signal]) => {
      this.#note(() => {
        this.code = code;
        this.signal = signal;
      });
      rmSync(this.scratch, { recursive: true, force: true });
    });
  }

  #note(change) {
    change();
    for (const look of this.#changed) look();
  }

  /** Waits until `found()` answers something, and answers that. */
  async until(found, what = String(found)) {
    let timer;
    const seen = new Promise((done, failed) => {
      const look = () => {
        const answer = found();
        if (answer) done(answer);
      };
      timer = setTimeout(() => failed(new Error(`${what} did not happen.\nframes: ${JSON.stringify(this.frames)}\nstderr: ${this.stderr}`)), PATIENCE_MS);
      this.#changed.push(look);
      look();
    });
    try {
      return await seen;
    } finally {
      clearTimeout(timer);
      this.#changed.length = 0;
    }
  }

  send(frame) {
    this.child.stdio[3].write(`${JSON.stringify(frame)}\n`);
  }
  of(type, run) {
    return this.frames.filter((frame) => frame.type === type && (run === undefined || frame.run === run));
  }

  async ready() {
    await this.until(() => this.of('ready').length > 0 || this.code !== undefined, 'ready');
    assert.equal(this.code, undefined, `it ended: ${this.stderr}`);
    return this;
  }

  start(name, data, { run = `w:${++RunnerProcess.runs}:0`, ...more } = {}) {
    this.send({ type: 'run', run, queue: 'q', id: '7', name, function: name, data, attempt: 1, started: 1, threads: 2, memory: 0, timeout_ms: 0, ...more });
    return run;
  }
  outcome(run) {
    return this.until(() => this.frames.find((frame) => frame.run === run && ['completed', 'failed', 'snooze'].includes(frame.type)), `an outcome of ${run}`);
  }
  call(name, data, more) {
    return this.outcome(this.start(name, data, more));
  }

  async ended() {
    await this.until(() => this.code !== undefined, 'its end');
    return this.code;
  }
  async stop() {
    this.send({ type: 'stop' });
    return this.ended();
  }
  async kill() {
    if (this.code === undefined) this.child.kill('SIGKILL');
    await this.closed;
  }
  static runs = 0;
}

/** A runner for one test, ended with it. */
export function started(t, args, options) {
  const runner = new RunnerProcess(args, options);
  t.after(() => runner.kill());
  return runner;
}
