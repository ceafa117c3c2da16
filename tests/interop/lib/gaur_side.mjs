// Gaur as one of the two parties of a check: the driver program over its Store. The face of bull_side.mjs.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Refused } from './bull_side.mjs';
import { spawnTied } from './redis.mjs';

const built = fileURLToPath(new URL('../../../build/dev/bin/gaur_driver', import.meta.url));
export const driverPath = process.env.GAUR_DRIVER ?? built;

/** One driver process. Requests may overlap; each is answered by its number. */
export class Driver {
  constructor(url, ...args) {
    if (!existsSync(driverPath)) throw new Error(`the driver is not built: ${driverPath} (or set GAUR_DRIVER)`);
    this.waiting = new Map();
    this.number = 0;
    this.said = '';
    this.child = spawnTied(driverPath, [url, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stderr.on('data', (text) => (this.said += text));
    this.child.stdin.on('error', () => {});
    this.ended = new Promise((done) => this.child.once('close', done));
    this.ended.then(() => {
      for (const { reject } of this.waiting.values()) reject(new Error(`the driver ended: ${this.said}`));
      this.waiting.clear();
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#answered(JSON.parse(line)));
  }
  #answered(reply) {
    const call = this.waiting.get(reply.number);
    this.waiting.delete(reply.number);
    if (reply.error) call.reject(new Refused(reply.error.code, reply.error.message));
    else call.resolve(reply.value);
  }
  call(verb, request = {}) {
    if (this.child.exitCode !== null) return Promise.reject(new Error(`the driver ended: ${this.said}`));
    const number = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.child.stdin.write(JSON.stringify({ number, verb, ...request }) + '\n');
    });
  }
  async stop() {
    this.child.stdin.end();
    await this.ended;
  }
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

function retention(value) {
  if (value === true) return { count: 0 };
  if (value === false) return {};
  if (typeof value === 'number') return { count: value };
  return { ...('count' in value && { count: value.count }), ...('age' in value && { age: value.age * 1000 }) };
}

/** Bull's options in Gaur's words. Throws for what Gaur has no word for. */
export function toGaur(opts) {
  const out = {};
  for (const [key, value] of Object.entries(opts)) {
    if (value === undefined) continue;
    if (key === 'jobId') out.id = String(value);
    else if (['delay', 'priority', 'lifo', 'attempts', 'timestamp', 'timeout'].includes(key)) out[key] = value;
    else if (key === 'backoff') {
      out.backoff = typeof value === 'number' ? { type: 'fixed', delay: value }
        : { type: value.type, ...(value.delay !== undefined && { delay: value.delay }) };
    } else if (key === 'removeOnComplete') out.on_complete = retention(value);
    else if (key === 'removeOnFail') out.on_fail = retention(value);
    else if (key === 'stackTraceLimit') out.stack_trace_limit = value;
    else if (key === 'debounce') out.deduplication = { id: value.id, ...(value.ttl && { ttl: value.ttl }) };
    else throw new Error(`no word for option ${key}`);
  }
  return out;
}

const newJob = ({ name = '__default__', data = {}, opts = {} }) => ({ name, data, options: toGaur(opts) });

export class GaurSide {
  letter = 'C';
  constructor(place, options = {}) {
    this.place = place;
    const args = ['--prefix', place.prefix];
    if (options.metrics) args.push('--metrics', String(options.metrics.maxDataPoints));
    if (options.wallMs !== undefined) args.push('--wall', String(options.wallMs));
    this.options = options;
    this.lock = options.settings?.lockDuration ?? 30_000;
    this.maxStalled = options.settings?.maxStalledCount ?? 1;
    this.limit = options.limiter && { max: options.limiter.max, per: options.limiter.duration };
    this.driver = new Driver(place.url, ...args);
    this.errors = [];
  }
  call(verb, request = {}) {
    return this.driver.call(verb, { queue: this.place.queue, ...request });
  }
  async ready() {
    await this.call('ready');
    return this;
  }
  async close() {
    this.closing = true;
    await this.driver.stop();
  }
  setWall(ms) { return this.call('set_wall', { ms }); }

  async add(name, data, opts = {}) {
    return (await this.call('add', { jobs: [newJob({ name, data, opts })] }))[0].id;
  }
  async addBulk(jobs) {
    return (await this.call('add', { jobs: jobs.map(newJob) })).map((added) => added.id);
  }

  async take() {
    const reply = await this.call('turn', { take: 1, lock: this.lock, limit: this.limit });
    if (reply.taken.length === 0) return null;
    const { job, token } = reply.taken[0];
    return { id: job.id, name: job.name, data: job.data, opts: job.options, attemptsMade: job.attempts_made, token,
      limited: reply.limited_for };
  }
  async complete(taken, value) {
    await this.call('end', { id: taken.id, token: taken.token, completed: value === undefined ? null : value });
  }
  async fail(taken, message) {
    await this.call('end', { id: taken.id, token: taken.token,
      failed: { message, stack: `Error: ${message}\n    at somewhere` } });
  }
  async extend(taken, ms) {
    await this.call('extend', { id: taken.id, token: taken.token, lock: ms });
  }
  async wake() { return this.call('wake'); }
  async recover() { return this.call('recover', { max_stalled: this.maxStalled }); }

  async promote(id) { await this.call('promote', { id }); }
  async retry(id) { await this.call('retry', { id, reset_attempts: false }); }
  async remove(id) { await this.call('remove', { id }); }
  async progress(id, value) { await this.call('progress', { id, progress: value }); }
  async log(id, row) { await this.call('log', { id, lines: [row] }); }
  async update(id, data) { await this.call('update', { id, data }); }

  async pause() { await this.call('pause'); }
  async resume() { await this.call('resume'); }
  async clean(state, graceMs, limit = 0) {
    const named = { wait: 'waiting', paused: 'waiting' }[state] ?? state;
    return this.call('clean', { state: named, grace: graceMs, limit });
  }
  async empty() { await this.call('drain', { delayed_too: true }); }
  async obliterate(force = false) { await this.call('obliterate', { force }); }

  async counts() {
    const { counts, paused } = await this.call('counts');
    return { waiting: counts.waiting + counts.prioritized, active: counts.active, delayed: counts.delayed,
      completed: counts.completed, failed: counts.failed, paused };
  }
  async state(id) {
    const state = await this.call('state', { id });
    return state === 'prioritized' ? 'waiting' : state;
  }
  async get(id) {
    const job = await this.call('get', { id }).catch((error) => {
      if (error.code === 'not_found') return null;
      throw error;
    });
    if (!job) return null;
    const ms = (text) => (text === undefined ? null : Date.parse(text));
    return { id: job.id, name: job.name, data: job.data, delay: job.delay_ms, timestamp: ms(job.timestamp),
      attemptsMade: job.attempts_made, failedReason: job.failure?.message ?? null, stacktrace: job.stacktrace ?? [],
      result: job.result ?? null, progress: job.progress ?? null, finishedOn: ms(job.finished_on),
      processedOn: ms(job.processed_on), priority: job.options.priority ?? 0, attempts: job.options.attempts ?? 1 };
  }
  async logs(id) { return (await this.call('logs', { id, offset: 0, limit: 1000 })).lines; }
  async finished(id, atMostMs = 20_000) {
    const job = await this.call('finished', { id, at_most: atMostMs });
    if (job.state === 'completed') return job.result;
    if (job.state === 'failed') throw new Error(job.failure?.message);
    throw new Error(`not finished after ${atMostMs} ms: ${job.state}`);
  }

  /** Collects {kind, id, detail} of all events from now on. */
  async listen() {
    const seen = [];
    let { cursor } = await this.call('events', { cursor: '$', limit: 1, at_most: 20 });
    const follow = async () => {
      for (;;) {
        const page = await this.call('events', { cursor, limit: 1000, at_most: 1_000 });
        seen.push(...page.events);
        ({ cursor } = page);
      }
    };
    follow().catch((error) => {
      if (!this.closing) this.errors.push(error);
    });
    return seen;
  }
}
