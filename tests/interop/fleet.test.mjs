// A mixed fleet under kill -9: workers of Bull and of Gaur on one queue, killed and started again at random.
// Nothing is lost, each job completes once, and Bull reports no error to its users that it does not report alone.
//   GAUR_LONG=1: 10 000 jobs and more kills
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { long, Place, redisServer, until, withRedis } from './lib/check.mjs';
import { Driver } from './lib/gaur_side.mjs';
import { spawnTied } from './lib/redis.mjs';
import { random } from './lib/sequence.mjs';

const bullWorker = fileURLToPath(new URL('./lib/bull_worker.mjs', import.meta.url));
const concurrency = 5;
const lockMs = 3_000;
const settings = { lockDuration: lockMs, stalledInterval: 500, maxStalledCount: 50, guardInterval: 500, drainDelay: 1 };
const seed = Number(process.env.GAUR_SEED ?? Date.now() % 1_000_000);

withRedis();

class BullWorker {
  constructor(place, reported) {
    this.child = spawnTied(process.execPath, [bullWorker, JSON.stringify({ queue: place.queue, prefix: place.prefix,
      redis: place.redisOptions, settings, concurrency })], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const { kind, message } = JSON.parse(line);
      if (kind !== 'ready') reported.push(`${kind}: ${message.replace(/\d+/g, 'N')}`);
    });
    this.ended = new Promise((done) => this.child.once('close', done));
  }
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

class GaurWorker {
  constructor(place, name) {
    this.driver = new Driver(place.url, '--prefix', place.prefix, '--name', name, '--sightings', '3', '--span', '1000');
    this.driver.call('work', { queue: place.queue, concurrency, lock: lockMs, max_stalled: 50 }).catch(() => {}); // killed
  }
  kill() { return this.driver.kill(); }
}

/** Runs `n` jobs with these kinds of workers; answers what Bull's workers reported, and the counts. */
async function fleet(kinds, n, kills, r) {
  await redisServer().client.flushall();
  const place = new Place();
  const reported = [];
  const start = (kind, i) => (kind === 'bull' ? new BullWorker(place, reported) : new GaurWorker(place, `gaur${i}`));
  const completions = new Map();
  const subscriber = redisServer().connect();
  await subscriber.subscribe(place.key('completed'));
  subscriber.on('message', (_, payload) => {
    const { jobId } = JSON.parse(payload);
    completions.set(jobId, (completions.get(jobId) ?? 0) + 1);
  });
  const workers = kinds.map(start);
  try {
    const looker = await place.look();
    for (let i = 0; i < n; i += 500) {
      await looker.addBulk(Array.from({ length: Math.min(500, n - i) }, () => ({ data: { ms: r.below(60) } })));
    }
    const completed = () => place.redis.zcard(place.key('completed'));
    for (let k = 0; k < kills; ++k) {
      const share = ((k + 1) * n) / (kills + 1); // spread over the whole
      await until(async () => (await completed()) >= share, `${share} of ${n} are completed`, 60_000);
      const i = r.below(workers.length);
      await workers[i].kill();
      workers[i] = start(kinds[i], i);
    }
    await until(async () => (await completed()) === n, `all ${n} are completed`, 60_000);
    await until(() => completions.size === n, 'all completions were heard');
    const counts = await looker.getJobCounts();
    const hashes = await Promise.all((await looker.getCompleted()).map((job) => place.hash(job.id)));
    const stalls = hashes.reduce((sum, hash) => sum + Number(hash.stalledCounter ?? 0), 0);
    const byBull = hashes.filter((hash) => hash.returnvalue.includes('"by"')).length;
    const runs = (await place.redis.hvals('fleet:runs')).reduce((sum, text) => sum + Number(text), 0);
    return { reported, counts, stalls, byBull, runs, twice: [...completions].filter(([, times]) => times > 1), locks: await place.redis.keys(`${place.base}*:lock`) };
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    subscriber.disconnect();
    await place.close();
  }
}

test(`a fleet of Bull and Gaur under kill -9, seed ${seed}`, { timeout: 280_000 }, async (t) => {
  const r = random(seed);
  const [n, kills] = long ? [10_000, 30] : [2_000, 8];
  const alone = await fleet(['bull', 'bull', 'bull', 'bull'], Math.floor(n / 2), Math.floor(kills / 2), r);
  const mixed = await fleet(['bull', 'gaur', 'bull', 'gaur'], n, kills, r);
  t.diagnostic(`mixed: ${mixed.byBull} of ${n} run by Bull, ${mixed.stalls} stalls after ${kills} kills; alone: ${alone.stalls} after ${Math.floor(kills / 2)}`);
  for (const [name, found, jobs, killed] of [['alone', alone, n / 2, kills / 2], ['mixed', mixed, n, kills]]) {
    assert.deepEqual(found.counts, { waiting: 0, active: 0, completed: jobs, failed: 0, delayed: 0, paused: 0 }, name);
    assert.deepEqual(found.twice, [], `${name}: completed twice`);
    assert.deepEqual(found.locks, [], `${name}: locks left`);
    assert.ok(found.stalls <= killed * concurrency, `${name}: ${found.stalls} stalls for ${killed} kills`);
    assert.ok(found.runs - found.byBull <= killed * concurrency, `${name}: ${found.runs} runs by Bull for ${found.byBull} jobs`);
  }
  assert.ok(mixed.byBull > n / 10 && mixed.byBull < n - n / 10, `both took part: Bull ran ${mixed.byBull} of ${n}`);
  const known = new Set(alone.reported);
  assert.deepEqual(mixed.reported.filter((line) => !known.has(line)), [], 'errors that Bull alone did not report');
});
