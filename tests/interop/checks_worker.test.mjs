// Section 7, checks 2 to 8, 21 to 24, 33 and 34: taking, locks, crashes.
import assert from 'node:assert/strict';
import { both, check, long, until, withRedis } from './lib/check.mjs';
import { dump, normalised } from './lib/dump.mjs';

withRedis();

/** The seed's worker: takes up to ten jobs, one after the other, runs each by `func`, and ends. */
async function seedLife(side) {
  const ran = [];
  for (let i = 0; i < 10; ++i) {
    const job = await side.take();
    if (!job) break;
    ran.push(job.id);
    if (job.data.func === 'bad') await side.fail(job, `no ${job.data.n}`);
    else await side.complete(job, { rows: job.data.n });
  }
  return ran;
}
const produce = async (side) => {
  for (let n = 1; n <= 12; ++n) await side.add(undefined, { func: n % 5 ? 'rank' : 'bad', n, userId: 7 });
};

/** The final content of Redis, with equal times. */
async function outcome(place) {
  const dumped = normalised(await dump(place.redis, place.base), place.base);
  for (const entry of Object.values(dumped)) {
    if (entry.type === 'zset') entry.value = entry.value.map(([id]) => id).sort();
    if (entry.type !== 'hash' || !entry.value.opts) continue;
    for (const field of ['timestamp', 'processedOn', 'finishedOn']) {
      if (entry.value[field]) entry.value[field] = /^\d{13}$/.test(entry.value[field]) ? '<ms>' : entry.value[field];
    }
    entry.value.opts.timestamp = '<ms>';
  }
  return dumped;
}

let bullsOwn;
for (const [number, title] of [[2, 'the seed: Bull produces twelve, the other runs ten and then two'],
  [3, 'the seed with roles swapped leaves the same keys, sets and hash fields']]) {
  check(number, title, number === 2 ? ['NN', 'NC'] : ['NN', 'CN'], async ({ place, a, b, form }) => {
    await produce(a);
    assert.deepEqual(await seedLife(b), Array.from({ length: 10 }, (_, i) => String(i + 1)));
    const counts = { waiting: 2, active: 0, delayed: 0, completed: 8, failed: 2, paused: false };
    for (const side of [a, b]) assert.deepEqual(await side.counts(), counts);
    assert.deepEqual(await seedLife(b), ['11', '12']);
    assert.deepEqual(await a.counts(), { ...counts, waiting: 0, completed: 10 });
    const left = await outcome(place);
    if (form === 'NN') bullsOwn = left;
    else if (bullsOwn) assert.deepEqual(left, bullsOwn);
  });
}

check(4, 'an empty queue: nothing at once, then waiting, and waking for a job', ['NN', 'NC'], async ({ a, b }) => {
  const elapsed = async (promise) => {
    const begun = performance.now();
    await promise;
    return performance.now() - begun;
  };
  const job = await a.add(undefined, {});
  await b.complete(await b.take(), null);
  assert.ok(await elapsed(b.take()) < 500, 'the first miss is reported at once');
  // Bull blocks in its pop; Gaur never pops blindly: it waits for a hint (wait_for_work), then takes.
  const wait = b.letter === 'N' ? () => b.queue.getNextJob() : () => b.call('wait', { at_most: 1_000 });
  const empty = await elapsed(wait().then((got) => assert.ok(got === undefined || got.length === 0, `${got}`)));
  assert.ok(empty >= 900 && empty < 3_000, `${empty} ms`);
  const waiting = elapsed(wait());
  const again = await a.add(undefined, {});
  assert.ok(await waiting < 900, 'woken by the add');
  assert.notEqual(job, again);
}, { b: { settings: { drainDelay: 1 } } });

check(5, 'a prefetched job is handed to the caller, and none is stranded', ['NN', 'NC'], async ({ a, b }) => {
  await produce(a);
  if (b.letter === 'N') {
    // The seed's mistake, as it is: the result of moveToCompleted, a job, is thrown away.
    for (let i = 0; i < 10; ++i) {
      const job = await b.queue.moveToActive();
      if (!job) break;
      if (job.data.func === 'bad') await job.moveToFailed({ message: 'no' });
      else await job.moveToCompleted(null);
    }
    assert.equal((await b.counts()).active, 5);
    return;
  }
  let job = (await b.call('turn', { take: 1 })).taken[0];
  let ran = 0;
  while (job) {
    ++ran;
    const how = job.job.data.func === 'bad' ? { failed: { message: 'no' } } : { completed: null };
    const reply = await b.call('end', { id: job.job.id, token: job.token, take: 1, ...how });
    job = reply.taken[0];
  }
  assert.equal(ran, 12);
  const { active, completed, failed } = await b.counts();
  assert.deepEqual({ active, completed, failed }, { active: 0, completed: 10, failed: 2 });
});

for (const [number, title, strand] of [
  [6, 'a taken job whose worker died comes back after its lock', async ({ a, redis, place }, id) => {
    assert.equal((await a.take()).id, id);
    await redis.del(place.key(`${id}:lock`)); // expired
  }],
  [7, 'a job popped but never locked comes back, too', async ({ redis, place }, id) => {
    assert.equal(await redis.rpoplpush(place.key('wait'), place.key('active')), id);
  }],
]) {
  check(number, title, both, async (at) => {
    const { place, a, b, redis } = at;
    const id = await a.add(undefined, {});
    const next = await a.add(undefined, {});
    await strand(at, id);
    assert.deepEqual(await place.list('active'), [id]);
    const other = await a.take(); // a worker that only takes does not see it
    assert.equal(other.id, next);
    await a.complete(other, null);
    assert.equal(await a.take(), null);
    const seen = await a.listen();
    const last = await a.add(undefined, {});
    await until(async () => { await b.recover(); return (await place.list('active')).length === 0; }, 'it is back', 15_000);
    assert.deepEqual(await place.list('wait'), [last, id], 'in front');
    assert.equal((await place.hash(id)).stalledCounter, '1');
    await until(() => seen.some((e) => e.kind === 'stalled' && e.id === id), 'the stalled event');
    assert.equal((await b.take()).id, id);
    assert.equal(await redis.zcard(place.key('failed')), 0);
  });
}

check(8, 'delayed jobs sleep until somebody sweeps, then wake on time', both, async ({ place, a, b }) => {
  const id = await a.add(undefined, {}, { delay: 100 });
  const due = Number((await place.hash(id)).timestamp) + 100;
  await until(() => Date.now() > due + 30, 'its time has come');
  assert.equal(await a.take(), null, 'a worker that only takes never wakes it');
  await b.wake();
  assert.equal((await a.take()).id, id);
});

check(21, 'workers of both kinds on one queue: each job once', both.filter((form) => form !== 'CN'), async ({ place, a, b }) => {
  const n = long ? 10_000 : 2_000;
  const runs = new Map();
  for (const side of [a, b]) {
    if (side.letter === 'C') await side.call('work', { concurrency: 10 });
    else side.process(10, async (job) => { runs.set(String(job.id), (runs.get(String(job.id)) ?? 0) + 1); return 'bull'; });
  }
  for (let i = 0; i < n; i += 500) {
    await a.addBulk(Array.from({ length: 500 }, (_, k) => ({ data: { i: i + k, log: 'ran' } })));
  }
  await until(async () => (await b.counts()).completed === n, 'all are completed', 50_000);
  const looker = await place.look();
  for (const job of await looker.getCompleted()) {
    const here = runs.get(String(job.id)) ?? 0;
    const there = await place.redis.llen(place.key(`${job.id}:logs`)); // Gaur's handler logs each run
    assert.equal(here + there, 1, `job ${job.id} ran ${here} times by Bull and ${there} times by Gaur`);
  }
  const { waiting, active, failed } = await b.counts();
  assert.deepEqual({ waiting, active, failed }, { waiting: 0, active: 0, failed: 0 });
  assert.deepEqual((await place.redis.keys(`${place.base}*:lock`)), []);
  if (b.letter === 'C') assert.ok(runs.size > 0 && runs.size < n, `both took part: Bull ran ${runs.size}`);
  assert.deepEqual(a.errors, []);
});

check(22, 'a lock holds its taker\'s token and is renewed at half its life', ['NN', 'NC'], async ({ place, a, b }) => {
  const lockMs = 600;
  if (b.letter === 'C') await b.call('work', { concurrency: 1, lock: lockMs });
  else b.process((job) => new Promise((done) => setTimeout(done, job.data.ms)));
  const id = await a.add(undefined, { ms: 1_500 });
  await until(async () => (await place.lock(id)).token, 'it runs');
  const tokens = new Set();
  let lowest = Infinity;
  let renewals = 0;
  let last = Infinity;
  while ((await b.state(id)) === 'active') {
    const { token, ttl } = await place.lock(id);
    if (token === null) continue; // it may just have ended
    tokens.add(token);
    assert.ok(ttl <= lockMs, `${ttl}`);
    if (ttl > last) ++renewals;
    last = ttl;
    lowest = Math.min(lowest, ttl);
  }
  assert.equal(tokens.size, 1);
  assert.ok(renewals >= 3 && renewals <= 6, `${renewals} renewals in 1 500 ms`);
  assert.ok(lowest > 0, `${lowest}`);
  const [token] = tokens;
  if (b.letter === 'N') assert.equal(token, b.queue.token);
  assert.ok(!token.includes('@'), token);
  assert.equal((await place.lock(id)).token, null);
}, { b: { settings: { lockDuration: 600 } } });

check(23, 'a finish without the lock is refused and changes nothing', both, async ({ place, a, b, redis }) => {
  const everything = () => dump(redis, place.base);
  const refused = async (job, ...codes) => {
    const before = await everything();
    await assert.rejects(b.complete(job, 1), (error) => { assert.ok(codes.includes(error.code), error.message); return true; });
    return before;
  };
  // Held by the other: -6.
  const held = await a.add(undefined, {});
  await a.take();
  const foreign = { id: held, token: 'somebody' };
  assert.deepEqual(await everything(), await refused(foreign, 'lock_mismatch'));
  // Its lock gone: -2.
  await redis.del(place.key(`${held}:lock`));
  assert.deepEqual(await everything(), await refused(foreign, 'lock_missing'));
  await redis.lrem(place.key('active'), 0, held);
  // Not active: -3.
  const lost = await b.add(undefined, {});
  const mine = await b.take();
  assert.equal(mine.id, lost);
  await redis.lrem(place.key('active'), 0, lost);
  await refused(mine, 'lock_missing', 'not_in_state');
  assert.equal(await redis.zcard(place.key('completed')), 0);
  // Its hash gone: -1.
  const gone = await b.add(undefined, {});
  const ghost = await b.take();
  assert.equal(ghost.id, gone);
  await redis.del(place.key(gone));
  await refused(ghost, 'not_found');
  assert.equal(await redis.exists(place.key(gone)), 0);
});

check(24, 'ignoreLock: what Bull finishes by force is lost to its holder', ['NN', 'CN'], async ({ place, a, b }) => {
  const id = await a.add(undefined, {});
  const job = await a.take();
  await (await b.queue.getJob(id)).moveToCompleted('forced', true, true);
  assert.equal(await b.state(id), 'completed');
  await assert.rejects(a.complete(job, 'late'), (error) => ['lock_missing', 'not_in_state'].includes(error.code));
  assert.equal((await place.hash(id)).returnvalue, '"forced"');
});
check('24b', 'Gaur has no finish by force (its Store refuses what it does not hold), nor is token 0 one', ['NC'], async ({ place, a, b }) => {
  const id = await a.add(undefined, {});
  await a.take();
  await assert.rejects(b.complete({ id, token: '0' }, 'forced'), { code: 'lock_mismatch' });
  assert.equal(await a.state(id), 'active');
  assert.equal((await place.lock(id)).token, a.queue.token);
});

check(33, 'stalled too often: failed, with both texts', both, async ({ place, a, b, redis }) => {
  const seen = await a.listen();
  const id = await a.add(undefined, {});
  await a.take();
  await redis.del(place.key(`${id}:lock`));
  await until(async () => { await b.recover(); return (await b.state(id)) === 'failed'; }, 'it failed', 15_000);
  const hash = await place.hash(id);
  assert.equal(hash.failedReason, 'job stalled more than allowable limit');
  assert.equal(hash.stalledCounter, '1');
  assert.ok(Number(hash.finishedOn) > 0);
  assert.equal(hash.attemptsMade ?? '0', '0');
  await until(() => seen.some((e) => e.kind === 'failed' && e.id === id), 'the failed event');
  assert.equal(seen.find((e) => e.kind === 'failed').detail, 'job stalled more than maxStalledCount');
}, { a: { settings: { maxStalledCount: 0 } }, b: { settings: { maxStalledCount: 0 } } });

check(34, 'Bull\'s stalled checks are throttled together; Gaur\'s sweep is its own and disturbs none', ['NN', 'NC'], async ({ place, a, b, redis }) => {
  const ids = [await a.add(undefined, {}), await a.add(undefined, {})];
  await a.take();
  await a.take();
  await a.queue.moveUnlockedJobsToWait();
  const throttle = async () => ({ value: await redis.get(place.key('stalled-check')), seen: (await redis.smembers(place.key('stalled'))).sort() });
  const before = await throttle();
  assert.deepEqual(before.seen, ids);
  await redis.del(place.key(`${ids[0]}:lock`));
  if (b.letter === 'N') {
    await b.queue.moveUnlockedJobsToWait(); // within the interval: nothing happens
    assert.deepEqual(await throttle(), before);
    assert.equal((await place.list('active')).length, 2);
    return;
  }
  await until(async () => { await b.recover(); return (await place.list('active')).length === 1; }, 'it is back', 15_000);
  assert.deepEqual(await throttle(), { value: before.value, seen: [ids[1]] });
  // And Bull's next check finds nothing left to do.
  await redis.del(place.key('stalled-check'));
  await a.queue.moveUnlockedJobsToWait();
  assert.deepEqual(await place.list('active'), [ids[1]]);
  assert.equal((await place.hash(ids[0])).stalledCounter, '1');
});
