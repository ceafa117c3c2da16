// Section 7, checks 25 to 32, 52 and 54: results, failures, backoff, what is kept.
import assert from 'node:assert/strict';
import { both, check, until, withRedis } from './lib/check.mjs';

withRedis();

const takeAndFail = async (side, message = 'no') => {
  const job = await side.take();
  await side.fail(job, message);
  return job.id;
};

check(25, 'results are JSON text; finished() resolves with the value', both, async ({ place, a, b }) => {
  for (const value of [{ rows: [1, { x: 'й"\n' }] }, 'text', 0.1, null, undefined, true, [], '']) {
    for (const subscribedBefore of [true, false]) {
      const id = await b.add(undefined, {});
      const early = subscribedBefore ? b.finished(id) : null;
      const job = await a.take();
      if (subscribedBefore && b.letter === 'N') await until(() => b.queue.listenerCount('global:completed') > 0, 'it listens');
      await a.complete(job, value);
      assert.equal((await place.hash(id)).returnvalue, JSON.stringify(value ?? null));
      // What is undefined in Bull is null for everybody who asks later; Gaur has null only.
      const got = await (early ?? b.finished(id));
      assert.deepEqual(got ?? null, value ?? null);
    }
  }
});

check(26, 'finished() on jobs of the other side: completed, failed, removed as they finish', both, async ({ a, b }) => {
  const run = async (opts, how, subscribe) => {
    const id = await b.add(undefined, {}, opts);
    const waiting = subscribe ? b.finished(id).then((value) => ({ value }), (error) => ({ error: error.message })) : null;
    const job = await a.take();
    if (subscribe) await new Promise((done) => setTimeout(done, 100)); // its subscription stands
    await how(job);
    return waiting ?? b.finished(id).then((value) => ({ value }), (error) => ({ error: error.message }));
  };
  const complete = (job) => a.complete(job, { ok: 1 });
  const fail = (job) => a.fail(job, 'it broke: "so"');
  assert.deepEqual(await run({}, complete, true), { value: { ok: 1 } });
  assert.deepEqual(await run({}, complete, false), { value: { ok: 1 } });
  assert.deepEqual(await run({}, fail, true), { error: 'it broke: "so"' });
  assert.deepEqual(await run({}, fail, false), { error: 'it broke: "so"' });
  assert.deepEqual(await run({ removeOnComplete: true }, complete, true), { value: { ok: 1 } });
  assert.deepEqual(await run({ removeOnFail: true }, fail, true), { error: 'it broke: "so"' });
});

check(27, 'reasons are raw text, traces a JSON array of the newest', both, async ({ place, a, b }) => {
  const message = 'quotes " and \\ and\nnewline, UTF-8 한국어 \u{1f402}';
  const id = await a.add(undefined, {}, { attempts: 4, stackTraceLimit: 2 });
  for (let i = 1; i <= 4; ++i) assert.equal(await takeAndFail(b, `${i}: ${message}`), id);
  const hash = await place.hash(id);
  assert.equal(hash.failedReason, `4: ${message}`);
  assert.equal(hash.attemptsMade, '4');
  assert.deepEqual(JSON.parse(hash.stacktrace), [3, 4].map((i) => `Error: ${i}: ${message}\n    at somewhere`));
  assert.equal((await a.get(id)).failedReason, `4: ${message}`);
  assert.deepEqual((await a.get(id)).stacktrace.length, 2);
});

check('28a', 'attempts: 0 runs once, with any producer and worker', both, async ({ place, a, b }) => {
  if (a.letter !== 'N') return; // Gaur's own API rejects 0, so only Bull can add such a job
  const id = await a.add(undefined, {}, { attempts: 0 });
  assert.equal(JSON.parse((await place.hash(id)).opts).attempts, 0);
  assert.equal(await takeAndFail(b), id);
  assert.equal(await b.state(id), 'failed');
  assert.equal((await place.hash(id)).attemptsMade, '1');
});

check(28, 'three attempts with exponential backoff: 50 and 150 ms, one failed event', both, async ({ place, a, b, redis }) => {
  const seen = await a.listen();
  const id = await a.add(undefined, {}, { attempts: 3, backoff: { type: 'exponential', delay: 50 } });
  for (const [i, delay] of [50, 150].entries()) {
    const from = Date.now();
    assert.equal(await takeAndFail(b), id);
    const to = Date.now();
    const score = Number(await redis.zscore(place.key('delayed'), id));
    const due = Math.floor(score / 4096);
    assert.ok(due >= from + delay - 1 && due <= to + delay + 1, `${due - from} ms for ${delay}`);
    assert.equal(score % 4096, Number(id) & 4095);
    assert.equal((await place.hash(id)).attemptsMade, String(i + 1));
    assert.equal((await place.hash(id)).delay, '0', 'backoff does not change the field');
    await until(async () => { await b.wake(); return (await b.state(id)) === 'waiting'; }, 'it woke');
  }
  await takeAndFail(b);
  assert.equal(await a.state(id), 'failed');
  assert.equal((await place.hash(id)).attemptsMade, '3');
  await until(() => seen.some((e) => e.kind === 'failed'), 'the failed event');
  assert.equal(seen.filter((e) => e.kind === 'failed').length, 1);
});

check(29, 'custom backoff: -1 fails at once, 0 retries at once, unknown types leave the job active', ['NN'], async ({ a, b }) => {
  for (const [type, state] of [['never', 'failed'], ['now', 'waiting'], ['unknown', 'active']]) {
    const id = await a.add(undefined, {}, { attempts: 3, backoff: { type } });
    const job = await b.take();
    await b.fail(job, 'no').catch((error) => assert.match(error.message, /Unknown backoff strategy/));
    assert.equal(await a.state(id), state);
    await a.queue.removeJobs('*');
  }
}, { b: { settings: { backoffStrategies: { never: () => -1, now: () => 0 } } } });
check('29b', 'Gaur has no custom strategies: a type that it does not know is no backoff, and the job goes on', ['NC'], async ({ a, b }) => {
  const id = await a.add(undefined, {}, { attempts: 2, backoff: { type: 'theirs', delay: 60_000 } });
  await takeAndFail(b);
  assert.ok(['waiting', 'delayed'].includes(await a.state(id)), await a.state(id));
  assert.deepEqual((await (await a.queue.getJob(id)).opts.backoff), { type: 'theirs', delay: 60_000 }, 'their option is unchanged');
});

check(30, 'an automatic retry: by priority, to the back, lifo to the front, untold', both, async ({ place, a, b }) => {
  const plain = await a.add(undefined, {}, { attempts: 2 });
  assert.equal((await a.take()).id, plain);
  await a.complete({ id: plain, token: (await place.lock(plain)).token }, null);
  const seen = await a.listen();
  const retried = [];
  for (const opts of [{}, { lifo: true }, { priority: 2 }]) {
    const id = await a.add(undefined, {}, { attempts: 2, ...opts });
    const job = await b.take();
    assert.equal(job.id, id);
    retried.push({ id, opts, job });
  }
  const others = [await a.add(undefined, {}, { priority: 1 }), await a.add(undefined, {}, { priority: 3 }), await a.add(undefined, {})];
  await until(() => seen.filter((e) => e.kind === 'waiting').length === 6, 'the adds are published');
  const [p1, p3, p0] = others;
  const [back, lifo, prioritised] = retried;
  await b.fail(prioritised.job, 'no');
  assert.deepEqual(await place.list('wait'), [p0, p3, prioritised.id, p1]);
  await b.fail(back.job, 'no');
  assert.deepEqual(await place.list('wait'), [back.id, p0, p3, prioritised.id, p1]);
  await b.fail(lifo.job, 'no');
  assert.deepEqual(await place.list('wait'), [back.id, p0, p3, prioritised.id, p1, lifo.id]);
  const last = await a.add(undefined, {}, { jobId: 'last' });
  await until(() => seen.some((e) => e.id === last), 'the last add is published');
  assert.equal(seen.filter((e) => e.kind === 'waiting').length, 7, 'no waiting event for a retry');
  assert.equal(seen.filter((e) => e.kind === 'failed').length, 0);
  assert.ok((await place.hash(back.id)).processedOn, 'processedOn stays');
});

// What is left of ten finished jobs: eight old ones, 10, 9, ... 3 s ago, and the last that carries the option.
const keepRules = [
  [true, 8], [0, 8], [2, 2], [{ count: 3 }, 3], [{ age: 6 }, 4], [{ age: 6, count: 2 }, 2], [{}, 9], [false, 9],
  [{ count: 0, age: 100 }, 8],
];
for (const kind of ['Complete', 'Fail']) {
  check(31, `removeOn${kind}: the same ids, hashes and logs are left`, both, async ({ place, a, b, redis }) => {
    const set = kind === 'Complete' ? 'completed' : 'failed';
    const finish = async (side) => {
      const job = await side.take();
      if (kind === 'Complete') await side.complete(job, null);
      else await side.fail(job, 'no');
      return job.id;
    };
    for (const [rule, left] of keepRules) {
      const ids = [];
      for (let i = 0; i < 8; ++i) {
        const id = await a.add(undefined, {});
        await a.log(id, 'a row');
        ids.push(await finish(a));
        await redis.zadd(place.key(set), Date.now() - (10 - i) * 1_000, id);
      }
      const last = await a.add(undefined, {}, { [`removeOn${kind}`]: rule });
      await b.log(last, 'a row');
      assert.equal(await finish(b), last);
      const gone = left === 8 && (rule === true || rule === 0 || rule.count === 0);
      const expected = gone ? ids : [...ids, last].slice(-left);
      assert.deepEqual(await place.zset(set), expected, JSON.stringify(rule));
      for (const id of [...ids, last]) {
        const kept = expected.includes(id) ? 1 : 0;
        assert.equal(await redis.exists(place.key(id)), kept, `hash of ${id}, ${JSON.stringify(rule)}`);
        assert.equal(await redis.exists(place.key(`${id}:logs`)), kept, `logs of ${id}, ${JSON.stringify(rule)}`);
      }
      for (const id of expected) await a.remove(id);
    }
  });
}

check(32, 'no job is stored with a null where Bull would break', ['NC', 'CN'], async ({ place, a, b, redis }) => {
  for (const opts of [{}, { removeOnComplete: false, removeOnFail: false }, { removeOnComplete: true, removeOnFail: 3 }]) {
    const id = await a.add(undefined, {}, opts);
    assert.doesNotMatch((await place.hash(id)).opts, /null/);
  }
  // And one that somebody else stored so is finished by Gaur, not lost.
  if (b.letter !== 'C') return;
  const id = await a.add(undefined, {}, { jobId: 'nulls' });
  await redis.hset(place.key(id), 'opts', JSON.stringify({ attempts: 1, delay: 0, timestamp: Date.now(), removeOnComplete: null }));
  for (let job = await b.take(); job; job = await b.take()) await b.complete(job, null);
  assert.equal(await a.state(id), 'completed');
});

check(52, 'metrics: one point a minute, skipped ones are zero', ['NN', 'CN'], async ({ place, a, redis }) => {
  const finish = async () => {
    await a.add(undefined, {});
    await a.complete(await a.take(), null);
  };
  const back = (minutes) => redis.hset(place.key('metrics:completed'), 'prevTS', Date.now() - minutes * 60_000);
  await finish();
  assert.equal((await redis.hgetall(place.key('metrics:completed'))).count, '1');
  await back(0);
  await finish();
  await back(1);
  await finish(); // the minute before had two, one of them counted before the first point
  assert.deepEqual(await place.list('metrics:completed:data'), ['2']);
  await back(2);
  await finish();
  assert.deepEqual(await place.list('metrics:completed:data'), ['0', '1', '2']);
  await back(1);
  await finish();
  assert.deepEqual(await place.list('metrics:completed:data'), ['1', '0', '1']);
  const looker = await place.look();
  const { meta, count } = await looker.getMetrics('completed');
  assert.equal(meta.count, 5);
  assert.equal(count, 3);
}, { a: { metrics: { maxDataPoints: 3 } } });

check(54, 'timeout: the attempt fails in Bull\'s words', ['NN', 'NC'], async ({ place, a, b }) => {
  if (b.letter === 'C') await b.call('work', { concurrency: 1 });
  else b.process((job) => new Promise((done) => { setTimeout(done, job.data.ms).unref(); }));
  const id = await a.add(undefined, { ms: 5_000 }, { timeout: 50 });
  await until(async () => (await a.state(id)) === 'failed', 'it failed');
  assert.equal((await place.hash(id)).failedReason, 'Promise timed out after 50 milliseconds');
});
