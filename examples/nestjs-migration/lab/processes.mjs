// Processes of a test or of the demo: each is started with a log of its own, can be waited for, and is ended with the lab.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The example's folder. */
export const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Waits for a condition that answers something true, and answers that. */
export async function until(condition, ms, what) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${typeof what === 'function' ? what() : what}: not within ${ms / 1000} s`);
    await pause(15);
  }
}

const claims = []; // sockets in Linux's abstract namespace: each claims a port, and is gone with this process

/** True if no other process with this module has claimed the port. */
function claim(port) {
  return new Promise((answer) => {
    const socket = createServer();
    socket.once('error', () => answer(false));
    socket.listen(`\0gaur-lab-port-${port}`, () => {
      socket.unref();
      claims.push(socket);
      answer(true);
    });
  });
}

/**
 * A loopback port for a server to listen on later. It lies below those that Linux gives to clients and to servers without a
 * port of their own (32768 and up), and no other lab on this machine gets it while this process runs.
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await claim(port)) && !(await listens(port))) return port;
  }
}

export function listens(port, host = '127.0.0.1') {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once('error', () => answer(true));
    probe.listen(port, host, () => probe.close(() => answer(false)));
  });
}

/** Whether that process is there and not a zombie. */
export function alive(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** All processes below one, itself first. */
export function tree(pid) {
  const below = (parent) => {
    try {
      return readdirSync(`/proc/${parent}/task`).flatMap((task) =>
        readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
    } catch {
      return [];
    }
  };
  return [pid, ...below(pid).flatMap(tree)];
}

export class Running {
  constructor(name, child, log) {
    Object.assign(this, { name, child, log, pid: child.pid, code: null, signal: null });
    this.ended = new Promise((done) => {
      child.on('exit', (code, signal) => {
        Object.assign(this, { code, signal });
        done();
      });
      child.on('error', (error) => {
        this.signal = error.code;
        done();
      });
    });
  }

  get over() {
    return this.code !== null || this.signal !== null;
  }

  said() {
    return readFileSync(this.log, 'utf8');
  }

  lastWords(lines = 12) {
    return this.said().trim().split('\n').slice(-lines).join('\n');
  }

  /** Waits for a condition, and fails at once, with what it said, if the process ends before. */
  until(condition, ms, what) {
    return until(() => {
      if (this.over) throw new Error(`${this.name} ended with ${this.signal ?? this.code}:\n${this.lastWords()}`);
      return condition();
    }, ms, () => `${what}\n${this.lastWords()}`);
  }

  async stop(signal = 'SIGTERM', ms = 40_000) {
    if (!this.over) this.child.kill(signal);
    await until(() => this.over, ms, `${this.name} (pid ${this.pid}) ending after ${signal}`);
  }
}

/** A folder with processes in it. `end()` ends them all, the last started first, and removes the folder. */
export class Lab {
  #running = [];
  #atEnd = [];

  constructor(name) {
    this.folder = mkdtempSync(join(tmpdir(), `gaur-${name}-`));
    this.#onExit = () => this.#killAll();
    this.#onSignal = () => { this.end().catch(() => {}).finally(() => process.exit(1)); }; // Ctrl-C, or a test's time is over
    process.once('exit', this.#onExit);
    for (const signal of SIGNALS) process.once(signal, this.#onSignal);
  }

  #onExit;
  #onSignal;

  file(name) {
    return join(this.folder, name);
  }

  start(name, command, args, { env = {}, cwd = here } = {}) {
    mkdirSync(this.folder, { recursive: true });
    const log = this.file(`${name}-${this.#running.length}.log`);
    const out = openSync(log, 'a');
    const child = spawn(command, args, { cwd, env: { PATH: process.env.PATH, HOME: this.folder, TZ: process.env.TZ ?? 'Asia/Seoul', ...env }, stdio: ['ignore', out, out] });
    closeSync(out);
    const running = new Running(name, child, log);
    this.#running.push(running);
    return running;
  }

  /** [name, last words] of each process that was started. */
  logs() {
    return this.#running.map((running) => [running.name, running.lastWords()]);
  }

  /** Something else that must be undone, before the processes are ended. */
  atEnd(undo) {
    this.#atEnd.push(undo);
  }

  #killAll() {
    for (const running of this.#running) {
      if (!running.over) running.child.kill('SIGKILL');
    }
  }

  async end() {
    const problems = [];
    for (const undo of this.#atEnd.reverse()) await Promise.resolve(undo()).catch((error) => problems.push(error));
    for (const running of this.#running.reverse()) {
      if (running.over) continue;
      await running.stop('SIGTERM', 10_000).catch(() => running.stop('SIGKILL'));
    }
    process.removeListener('exit', this.#onExit);
    for (const signal of SIGNALS) process.removeListener(signal, this.#onSignal);
    if (process.env.KEEP_LAB) console.error(`kept: ${this.folder}`);
    else rmSync(this.folder, { recursive: true, force: true });
    if (problems.length > 0) throw problems[0];
  }
}
