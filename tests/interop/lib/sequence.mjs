// Random sequences of operations, done by Bull on one queue and by Gaur on another, at the same set times.
// What is excluded stands here, with its reason; section 9 of the protocol text says that Gaur may differ there:
//  - `retry` and `fail` of jobs that are not failed or not held: Bull spoils fields before it looks.
//  - `empty` while paused (Bull's also resumes, by half), and the hashes that it forgets: deleted for it here.
//  - `obliterate` of a queue with active jobs without force (Bull's leaves it paused); its `de:` keys likewise.
//  - `clean` of what is not finished; ids with a colon and whole numbers (Gaur adds none); ids that the counter runs into; jobs without a hash.
//  - `remove` of a job whose debounce key belongs to another job by now: Bull frees it all the same.
//  - a stalled job with a priority goes in front of its own priority, in Bull in front of all.
//  - a delayed job is due in its millisecond; in Bull up to one later.
//  - pausing what is paused and resuming what is not: Bull publishes it once more.
//  - the set `stalled` and `stalled-check`: Gaur's sweep keeps its sightings elsewhere.
import { dump, keysUnder, normalised } from './dump.mjs';
import { until } from './redis.mjs';

/** Mulberry32: small, and the same everywhere. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, chance: (p) => next() < p, one: (list) => list[below(list.length)] };
}

function randomOptions(r) {
  const opts = {};
  const maybe = (p, key, value) => { if (r.chance(p)) opts[key] = value(); };
  maybe(0.3, 'priority', () => r.one([0, 1, 2, 2, 3, 7]));
  maybe(0.25, 'delay', () => r.one([0, 1, 40, 500, 60_000]));
  maybe(0.15, 'lifo', () => r.chance(0.8));
  maybe(0.4, 'attempts', () => r.one([1, 2, 3, 5]));
  maybe(0.3, 'backoff', () => r.one([0, 30, { type: 'fixed', delay: 70 }, { type: 'exponential', delay: 25 }, { type: 'exponential', delay: 0 }]));
  maybe(0.15, 'jobId', () => r.one(['a', 'b', 'c.d', 'e é', 'repeat-ish', 'x'.repeat(60)]));
  maybe(0.25, 'removeOnComplete', () => r.one([true, false, 0, 1, 3, {}, { count: 2 }, { age: 1 }, { age: 2, count: 1 }]));
  maybe(0.25, 'removeOnFail', () => r.one([true, false, 0, 1, 3, { count: 2 }, { age: 1 }, { age: 5, count: 2 }]));
  maybe(0.1, 'timeout', () => 1_000);
  maybe(0.15, 'stackTraceLimit', () => r.one([1, 2]));
  maybe(0.12, 'debounce', () => r.one([{ id: 'd1' }, { id: 'd2', ttl: 600_000 }]));
  maybe(0.05, 'timestamp', () => 1_700_000_000_000);
  return opts;
}
const values = [null, 0, 1.5, '', 'text', 'й"\\\n', true, [], {}, { rows: [1, { x: null }] }];
const randomJob = (r) => ({ ...(r.chance(0.7) && { name: r.one(['render', 'rank', 'x:y']) }), data: r.one([{}, { n: 1 }, { func: 'rank', 'ключ': ['й', 2.5] }]),
  opts: randomOptions(r) });

const weights = { add: 24, bulk: 4, take: 18, complete: 14, fail: 9, tick: 8, wake: 6, promote: 4, retry: 5, remove: 4, pause: 2,
  resume: 3, clean: 3, empty: 1, obliterate: 1, progress: 3, log: 3, update: 3, stall: 3, late: 2, extend: 2 };
const names = Object.entries(weights).flatMap(([name, weight]) => Array(weight).fill(name));

const makers = {
  add: (r) => randomJob(r),
  bulk: (r) => ({ jobs: Array.from({ length: 1 + r.below(5) }, () => randomJob(r)) }),
  complete: (r) => ({ value: r.one(values) }),
  fail: (r) => ({ message: r.one(['no', 'with "quotes" and й', 'two\nlines', '']) }),
  tick: (r) => ({ ms: r.one([1, 5, 30, 80, 400, 1_500, 60_001]) }),
  clean: (r) => ({ state: r.one(['completed', 'failed']), grace: r.one([-1, 53, 1_003]), limit: r.one([0, 0, 1, 2]) }),
  obliterate: () => ({}),
  progress: (r) => ({ value: r.one(values.slice(1)) }),
  log: (r) => ({ row: r.one(['a row', '', 'й "x"']) }),
  update: (r) => ({ data: r.one([{ n: 2 }, [1], 'text', 5]) }),
};

/** A plan is plain JSON: it can be printed, shortened and run again. */
export function plan(seed, length) {
  const r = random(seed);
  return Array.from({ length }, () => {
    const op = r.one(names);
    return { op, pick: r.below(1_000), ...makers[op]?.(r) };
  });
}

/** One party's half of a run: its place, its jobs. */
class Half {
  constructor(side, place) {
    Object.assign(this, { side, place, held: [], stale: [], paused: false });
  }
  async choose(set, pick) {
    const ids = set === undefined ? [...this.ids].sort() : (await this.place.zset(set)).sort();
    return ids.length ? ids[pick % ids.length] : undefined;
  }
  ids = new Set();

  async apply({ op, pick, ...rest }) {
    const { side, place } = this;
    const outOf = (list) => (list.length ? list.splice(pick % list.length, 1)[0] : undefined);
    const known = await this.choose(undefined, pick);
    const withId = async (verb) => (known === undefined ? 'none' : verb(known));
    switch (op) {
      case 'add': return this.#added([await side.add(rest.name, rest.data, rest.opts)]);
      case 'bulk': return this.#added(await side.addBulk(rest.jobs));
      case 'take': {
        const job = await side.take();
        if (!job) return null;
        this.held.push(job);
        return { id: job.id, name: job.name, data: job.data, attemptsMade: job.attemptsMade };
      }
      case 'complete': case 'fail': {
        const job = outOf(this.held);
        if (!job) return 'none';
        this.stale.push(job);
        return op === 'fail' ? side.fail(job, rest.message) : side.complete(job, rest.value);
      }
      case 'late': { // a job that was finished or lost is completed once more
        const job = outOf(this.stale);
        // Bull's token is the instance's: it could not tell the old run from a new one of its own.
        return !job || this.held.some(({ id }) => id === job.id) ? 'none' : side.complete(job, 'late');
      }
      case 'extend': return this.held.length ? side.extend(this.held[pick % this.held.length], 30_000) : 'none';
      case 'stall': {
        const job = this.held[pick % this.held.length];
        if (!job || Number(await place.redis.hget(place.key(job.id), 'priority')) > 0) return 'none';
        this.stale.push(outOf(this.held)); // not before: one that is still held must not be taken for a lost one
        await place.redis.del(place.key(`${job.id}:lock`));
        for (let i = 0; i < 2; ++i) await side.recover();
        return (await place.list('active')).length;
      }
      case 'wake':
        await this.#during('wake', () => side.wake(4095 / 4096));
        return null;
      case 'promote': return withId((id) => side.promote(id));
      case 'remove': return withId((id) => this.#remove(id));
      case 'progress': return withId((id) => side.progress(id, rest.value));
      case 'log': return withId((id) => side.log(id, rest.row));
      case 'update': return withId((id) => side.update(id, rest.data));
      case 'retry': {
        const id = await this.choose('failed', pick);
        return id === undefined ? 'none' : side.retry(id);
      }
      case 'pause': case 'resume': {
        if (this.paused === (op === 'pause')) return 'none';
        this.paused = !this.paused;
        return side[op]();
      }
      case 'clean': return side.clean(rest.state, rest.grace, rest.limit);
      case 'empty': return this.paused ? 'none' : this.#empty();
      case 'obliterate': return this.#obliterate();
      default: throw new Error(`no such operation: ${op}`);
    }
  }
  async #during(what, act) {
    await this.place.redis.publish(this.place.key('during'), what);
    await act();
    await this.place.redis.publish(this.place.key('during'), '');
  }
  #added(ids) {
    for (const id of ids) this.ids.add(id);
    return ids;
  }
  /** Bull frees the debounce key of a removed job even if it is another job's by now: put back. */
  async #remove(id) {
    const { place, side } = this;
    const deid = await place.redis.hget(place.key(id), 'deid');
    const key = place.key(`de:${deid}`);
    const owner = deid && (await place.redis.get(key));
    const ttl = owner && (await place.redis.pttl(key));
    try {
      return await side.remove(id);
    } finally {
      if (owner && owner !== id && ttl > 0) await place.redis.set(key, owner, 'PX', ttl);
      else if (owner && owner !== id) await place.redis.set(key, owner);
    }
  }
  async #empty() {
    const { place, side } = this;
    const forgotten = [...(await place.zset('delayed')), ...(await place.list('wait'))];
    const debounces = (await Promise.all(forgotten.map((id) => place.redis.hget(place.key(id), 'deid')))).filter(Boolean);
    await side.empty();
    const keys = [...forgotten.flatMap((id) => [place.key(id), place.key(`${id}:logs`)]), ...debounces.map((id) => place.key(`de:${id}`))];
    if (keys.length) await place.redis.del(...keys);
  }
  async #obliterate() {
    const { place, side } = this;
    const force = (await place.list('active')).length > 0;
    await this.#during('obliterate', () => side.obliterate(force));
    const keys = (await keysUnder(place.redis, place.base)).filter((key) => key.startsWith(place.key('de:')));
    if (keys.length) await place.redis.del(...keys);
    Object.assign(this, { held: [], stale: [], paused: false }); // the counter starts again: ids mean other jobs
  }

  async seen() {
    const left = normalised(await dump(this.place.redis, this.place.base), this.place.base);
    delete left.stalled;
    delete left['stalled-check'];
    return left;
  }
}

export class Channels {
  static async open(redis, base) {
    const channels = new Channels();
    Object.assign(channels, { redis, base, heard: [], subscriber: redis.duplicate() });
    await channels.subscriber.psubscribe(base.replace(/[*?[\]\\]/g, '\\$&') + '*');
    channels.subscriber.on('pmessage', (_, channel, payload) => channels.heard.push(`${channel.slice(base.length).replace(/@.+$/, '@token')} ${payload}`));
    return channels;
  }
  /** What was heard since the last call. */
  async take() {
    await this.redis.publish(`${this.base}end`, '');
    await until(() => this.heard.at(-1) === 'end ', 'all messages are here');
    const heard = this.heard.splice(0).slice(0, -1);
    return heard.filter((message, i) => !untold(message, heard.slice(0, i)));
  }
  close() { this.subscriber.disconnect(); }
}

/**
 * Messages that only Bull sends and nobody needs: `drained` at each take that finds nothing (Gaur: once, check 48), `paused` by
 * obliterate, and the sweep's repetition of when the next delayed job is due, which was published when it was delayed.
 */
function untold(message, before) {
  if (message === 'drained ' || message.startsWith('during ')) return true;
  const during = before.findLast((each) => each.startsWith('during '))?.slice('during '.length);
  return (during === 'obliterate' && message === 'paused paused') || (during === 'wake' && message.startsWith('delayed '));
}

async function result(promise) {
  try {
    return { value: (await promise) ?? null };
  } catch (error) {
    if (!error.code || typeof error.code !== 'string') throw error;
    return { refused: ['lock_missing', 'lock_mismatch', 'not_in_state', 'not_found'].includes(error.code) ? 'refused' : error.code };
  }
}

/** Where two values differ first, as lines. */
export function difference(bull, gaur, path = '') {
  if (Object.is(bull, gaur)) return [];
  const plain = (value) => value !== null && typeof value === 'object';
  if (!plain(bull) || !plain(gaur) || Array.isArray(bull) !== Array.isArray(gaur)) {
    return [`${path || '.'}: Bull ${JSON.stringify(bull)}, Gaur ${JSON.stringify(gaur)}`];
  }
  const keys = [...new Set([...Object.keys(bull), ...Object.keys(gaur)])];
  return keys.flatMap((key) => difference(bull[key], gaur[key], `${path}/${key}`));
}

/**
 * Runs a plan by both parties and compares after each step (`everyStep`) or at the end. Answers the differences and the step.
 * @param parties  async (queue) => {bull, gaur, places: [..], setWall(ms), close()}
 */
export async function run(steps, parties, { everyStep = false } = {}) {
  const { bull, gaur, setWall, close, channels } = await parties();
  const halves = [new Half(bull, bull.place), new Half(gaur, gaur.place)];
  let wall = 1_790_000_000_000;
  try {
    await setWall(wall);
    for (const [i, step] of steps.entries()) {
      if (step.op === 'tick') {
        await setWall((wall += step.ms));
        continue;
      }
      const [left, right] = [await result(halves[0].apply(step)), await result(halves[1].apply(step))];
      const differs = difference(left, right, `result of step ${i} (${step.op})`);
      if (differs.length) return { step: i, differs };
      if (everyStep || i === steps.length - 1) {
        const [b, g] = await Promise.all(halves.map((half) => half.seen()));
        const [heardB, heardG] = await Promise.all(channels.map((each) => each.take()));
        const found = [...difference(b, g, 'keys'), ...difference(heardB, heardG, 'messages')];
        if (found.length) return { step: i, differs: found };
      }
    }
    return null;
  } finally {
    await close();
  }
}

/** The shortest plan found, by leaving steps out, that still differs. */
export async function shorten(steps, parties) {
  let found = await run(steps, parties, { everyStep: true });
  if (!found) return { steps, found: null };
  let short = steps.slice(0, found.step + 1);
  for (let i = short.length - 2; i >= 0; --i) {
    const less = short.filter((_, k) => k !== i);
    const still = await run(less, parties, { everyStep: true });
    if (!still) continue;
    found = still;
    short = less.slice(0, still.step + 1);
    i = Math.min(i, short.length - 1);
  }
  return { steps: short, found };
}
