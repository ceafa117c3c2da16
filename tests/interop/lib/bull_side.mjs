// Unmodified Bull as one of the two parties of a check. gaur_side.mjs has the same face.
import Bull4 from 'bull';
import Bull3 from 'bull3';

/** GAUR_INTEROP_BULL=3: Bull 3.29, whose scripts are the same but for what came later. */
export const bullMajor = process.env.GAUR_INTEROP_BULL === '3' ? 3 : 4;
const Bull = bullMajor === 3 ? Bull3 : Bull4;

/** Bull says why in words; checks compare these codes, which are Gaur's. */
const words = [
  [/^Missing key for job|doesn't exist/, 'not_found'],
  [/^Missing lock for job/, 'lock_missing'],
  [/is not in the active state/, 'lock_missing'],
  [/^Lock mismatch for job/, 'lock_mismatch'],
  [/is not in a delayed state|has been already retried or has not failed/, 'not_in_state'],
  [/^Could not remove job|The job is locked/, 'busy'],
  [/Cannot obliterate queue with active jobs/, 'busy'],
];

export class Refused extends Error {
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

async function coded(promise) {
  try {
    return await promise;
  } catch (error) {
    for (const [pattern, code] of words) if (pattern.test(error.message)) throw new Refused(code, error.message);
    throw error;
  }
}

export class BullSide {
  letter = 'N';
  constructor(place, options = {}) {
    this.place = place;
    this.queue = new Bull(place.queue, { prefix: place.prefix, redis: place.redisOptions, ...options });
    this.errors = [];
    this.queue.on('error', (error) => this.errors.push(error));
    // process() does not wait until its connection has its name: closing before that leaves a rejection that nobody
    // handles.
    const name = this.queue.setWorkerName.bind(this.queue);
    this.queue.setWorkerName = () => (this.named = name());
  }
  async ready() {
    await this.queue.isReady();
    return this;
  }
  async close() {
    await this.named;
    await this.queue.close(true);
  }

  /** queue.process(); its promise ends with the connection. */
  process(...handler) {
    this.queue.process(...handler).catch((error) => {
      if (!this.queue.closing) this.errors.push(error);
    });
  }

  // producers
  async add(name, data, opts = {}) {
    const job = name === undefined ? await this.queue.add(data, opts) : await this.queue.add(name, data, opts);
    return String(job.id);
  }
  async addBulk(jobs) {
    return (await this.queue.addBulk(jobs)).map((job) => String(job.id));
  }

  // workers
  async take() {
    const job = await this.queue.moveToActive();
    return job ? this.#taken(job) : null;
  }
  #taken(job) {
    return { id: String(job.id), name: job.name, data: job.data, opts: job.opts, attemptsMade: job.attemptsMade,
      token: this.queue.token, bull: job };
  }
  async #job(taken) {
    return taken.bull ?? (await this.#find(taken.id));
  }
  async #find(id) {
    const job = await this.queue.getJob(id);
    if (!job) throw new Refused('not_found', `no job ${id}`);
    return job;
  }
  async complete(taken, value) {
    await coded((await this.#job(taken)).moveToCompleted(value, false, true));
  }
  async fail(taken, message) {
    await coded((await this.#job(taken)).moveToFailed({ message, stack: `Error: ${message}\n    at somewhere` }));
  }
  async extend(taken, ms) {
    const done = await (await this.#job(taken)).extendLock(ms);
    if (!done) throw new Refused('lock_missing', 'not renewed');
  }
  /** Moves due delayed jobs; those of `later` ms to come as well. */
  async wake(later = 0) {
    await this.queue.isReady();
    await this.queue.client.updateDelaySet([
      ...['delayed', 'active', 'wait', 'priority', 'paused', 'meta-paused'].map((key) => this.queue.toKey(key)),
      this.queue.toKey(''), Date.now() + later, this.queue.token]);
  }
  /** One pass of the stalled check, whenever the last was. */
  async recover() {
    await this.queue.isReady();
    await this.queue.client.del(this.queue.toKey('stalled-check'));
    const errors = this.errors.length;
    await this.queue.moveUnlockedJobsToWait();
    if (this.errors.length > errors) throw this.errors[errors];
  }

  // jobs
  async promote(id) { await coded((await this.#find(id)).promote()); }
  async retry(id) { await coded((await this.#find(id)).retry()); }
  async remove(id) { await coded((await this.#find(id)).remove()); }
  async progress(id, value) { await coded((await this.#find(id)).progress(value)); }
  async log(id, row) { await coded((await this.#find(id)).log(row)); }
  async update(id, data) { await coded((await this.#find(id)).update(data)); }

  // queues
  async pause() { await this.queue.pause(); }
  async resume() { await this.queue.resume(); }
  /** Answers how many went. */
  async clean(state, graceMs, limit = 0) { return (await this.queue.clean(graceMs, state, limit)).length; }
  async empty() { await this.queue.empty(); }
  async obliterate(force = false) { await coded(this.queue.obliterate({ force })); }

  // looking
  async counts() {
    const counts = await this.queue.getJobCounts();
    return { waiting: counts.waiting + counts.paused, active: counts.active, delayed: counts.delayed,
      completed: counts.completed, failed: counts.failed, paused: await this.queue.isPaused() };
  }
  async state(id) {
    const state = await (await this.#find(id)).getState();
    return state === 'paused' ? 'waiting' : state;
  }
  async get(id) {
    const job = await this.queue.getJob(id);
    if (!job) return null;
    return { id: String(job.id), name: job.name, data: job.data, delay: job.delay, timestamp: job.timestamp,
      attemptsMade: job.attemptsMade, failedReason: job.failedReason ?? null, stacktrace: job.stacktrace ?? [],
      result: job.returnvalue ?? null, progress: job.progress() || null, finishedOn: job.finishedOn ?? null,
      processedOn: job.processedOn ?? null, priority: job.opts.priority ?? 0, attempts: job.opts.attempts };
  }
  async logs(id) { return (await this.queue.getJobLogs(id)).logs; }
  /** Resolves with the result, rejects with the reason. */
  async finished(id) { return (await this.#find(id)).finished(); }

  /** Collects {kind, id, detail} of all global events from now on. */
  async listen() {
    const seen = [];
    const names = ['waiting', 'active', 'completed', 'failed', 'progress', 'stalled', 'drained', 'paused', 'resumed',
      'duplicated', 'debounced'];
    for (const kind of names) {
      this.queue.on(`global:${kind}`, (id, detail) => seen.push({ kind, id: id === undefined ? '' : id, detail }));
    }
    await this.queue.isReady();
    await Promise.all(names.map((kind) => this.queue._registerEvent(`global:${kind}`)));
    return seen;
  }
}
