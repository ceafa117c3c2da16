// Section 7, checks 35 to 43: pause, promote, retry, remove, clean, empty, obliterate.
import assert from 'node:assert/strict';
import { all, both, bullMajor, check, until, withRedis } from './lib/check.mjs';
import { dump, keysUnder } from './lib/dump.mjs';

withRedis();

const fail = async (side) => {
  const job = await side.take();
  await side.fail(job, 'no');
  return job.id;
};

check(35, 'pause holds for both sides and keeps the order', both, async ({ place, a, b, redis }) => {
  const seen = await b.listen();
  const [one, two] = [await a.add(undefined, {}), await b.add(undefined, {})];
  await a.pause();
  assert.deepEqual(await place.list('paused'), [two, one]);
  assert.equal(await redis.exists(place.key('wait')), 0);
  assert.equal(await redis.get(place.key('meta-paused')), '1');
  assert.equal(await redis.hget(place.key('meta'), 'paused'), '1');
  for (const side of [a, b]) assert.equal((await side.counts()).paused, true);
  assert.equal(await b.take(), null);
  const three = await b.add(undefined, {});
  assert.deepEqual(await place.list('paused'), [three, two, one]);
  await until(() => seen.some((e) => e.kind === 'paused'), 'the paused event');
  await a.pause(); // twice is harmless
  assert.deepEqual(await place.list('paused'), [three, two, one]);
  await a.resume();
  await until(() => seen.some((e) => e.kind === 'resumed'), 'the resumed event');
  assert.deepEqual(await place.list('wait'), [three, two, one]);
  assert.equal(await redis.exists(place.key('meta-paused'), place.key('paused')), 0);
  assert.equal(await redis.hexists(place.key('meta'), 'paused'), 0);
  assert.equal((await b.counts()).paused, false);
  for (const id of [one, two, three]) {
    const job = await b.take();
    assert.equal(job.id, id);
    await b.complete(job, null);
  }
});

check(36, 'a delayed job that comes due while paused waits with the paused', both, async ({ place, a, b }) => {
  const id = await a.add(undefined, {}, { delay: 50 });
  await b.pause();
  await until(async () => { await b.wake(); return (await place.list('paused')).length === 1; }, 'it woke');
  assert.deepEqual(await place.list('paused'), [id]);
  assert.deepEqual(await place.list('wait'), []);
  assert.equal(await b.take(), null);
  await a.resume();
  assert.equal((await b.take()).id, id);
});

check(37, 'promote: published, its delay gone; only delayed jobs', both, async ({ place, a, b }) => {
  const seen = await a.listen();
  const id = await a.add(undefined, {}, { delay: 60_000 });
  const first = await a.add(undefined, {}, { delay: 60_000, priority: 2 });
  const plain = await a.add(undefined, {});
  await b.promote(id);
  await b.promote(first);
  await until(() => [id, first].every((x) => seen.some((e) => e.kind === 'waiting' && e.id === x)), 'both are published');
  assert.equal((await place.hash(id)).delay, '0');
  assert.deepEqual(await place.list('wait'), [id, plain, first]);
  await assert.rejects(b.promote(plain), { code: 'not_in_state' });
  await assert.rejects(b.promote('nobody'), { code: 'not_found' });
});

check(38, 'retry: what it clears, what it keeps, once only', both, async ({ place, a, b }) => {
  const seen = await a.listen();
  const id = await a.add(undefined, {}, { attempts: 1, priority: 3 });
  assert.equal(await fail(a), id);
  const other = await a.add(undefined, {});
  await b.retry(id);
  const hash = await place.hash(id);
  for (const field of ['finishedOn', 'processedOn', 'failedReason']) assert.equal(hash[field], undefined, field);
  assert.ok(Number(hash.retriedOn) > 0);
  assert.equal(hash.attemptsMade, '1');
  assert.deepEqual(await place.list('wait'), [id, other], 'behind the others, whatever its priority');
  assert.deepEqual(await place.zset('failed'), []);
  await until(() => seen.filter((e) => e.kind === 'waiting' && e.id === id).length === 2, 'the waiting event');
  await assert.rejects(b.retry(id), { code: 'not_in_state' });
  await assert.rejects(b.retry('nobody'), { code: 'not_found' });
  assert.equal((await a.take()).id, other);
});

check(39, 'retryJobs: all failed jobs wait again', ['NN', 'NC'], async ({ place, a, b }) => {
  const ids = [];
  for (let i = 0; i < 5; ++i) {
    await a.add(undefined, {});
    ids.push(await fail(b));
  }
  // Gaur has no verb for all of them: it retries one by one, oldest first.
  if (b.letter === 'N') await b.queue.retryJobs();
  else for (const id of await place.zset('failed')) await b.retry(id);
  assert.deepEqual(await place.list('wait'), ids.reverse());
  assert.deepEqual(await place.zset('failed'), []);
  for (const id of ids) assert.equal((await place.hash(id)).failedReason, undefined);
});

check(40, 'remove: refused while locked by anybody, else without a trace', both, async ({ place, a, b }) => {
  const held = await a.add(undefined, {});
  const job = await a.take();
  await assert.rejects(b.remove(held), { code: 'busy' });
  assert.equal(await a.state(held), 'active');
  await a.complete(job, null);
  const empty = { ...(await dump(place.redis, place.base)) };
  for (const opts of [{}, { priority: 3 }, { delay: 60_000 }, ...(bullMajor === 3 ? [] : [{ debounce: { id: 'd' } }])]) {
    const id = await a.add(undefined, {}, opts);
    await a.log(id, 'a row');
    await b.remove(id);
    const left = await dump(place.redis, place.base);
    for (const side of [left, empty]) delete side.id;
    assert.deepEqual(left, empty, JSON.stringify(opts));
  }
  await b.remove(held);
  assert.deepEqual(await keysUnder(place.redis, place.base), [place.key('id')]);
});

check(41, 'removeJobs takes what matches, of either producer', both.filter((form) => form[1] === 'N'), async ({ place, a, b }) => {
  // Gaur has no verb for patterns: Bull removes what Gaur added.
  for (const jobId of ['foo', 'foofighter', 'bar', 'boo']) await a.add(undefined, {}, { jobId });
  await b.queue.removeJobs('?oo*');
  assert.deepEqual(await place.list('wait'), ['bar']);
  assert.deepEqual((await keysUnder(place.redis, place.base)).sort(), [place.key('bar'), place.key('id'), place.key('wait')].sort());
});

check(42, 'clean: finished jobs older than the grace, oldest first, up to the limit', both, async ({ place, a, b, redis }) => {
  for (const [set, finish] of [['completed', (side, job) => side.complete(job, null)], ['failed', (side, job) => side.fail(job, 'no')]]) {
    const ids = [];
    for (let i = 0; i < 5; ++i) {
      ids.push(await a.add(undefined, {}));
      await finish(a, await a.take());
      const at = Date.now() - (10 - i) * 1_000;
      await redis.multi().zadd(place.key(set), at, ids[i]).hset(place.key(ids[i]), 'finishedOn', at).exec();
    }
    assert.equal(await b.clean(set, 60_000), 0);
    assert.equal(await b.clean(set, 0, 2), 2);
    assert.deepEqual(await place.zset(set), ids.slice(2));
    assert.equal(await b.clean(set, 7_500), 1, 'the one of 8 s ago');
    assert.deepEqual(await place.zset(set), ids.slice(3));
    assert.equal(await b.clean(set, 0), 2);
    for (const id of ids) assert.equal(await redis.exists(place.key(id)), 0);
  }
});
check('42b', 'clean of what waits, is paused or active: the same are gone', both, async ({ place, a, b, redis }) => {
  const ids = [];
  for (let i = 0; i < 4; ++i) ids.push(await a.add(undefined, {}, { timestamp: Date.now() - (10 - i) * 1_000, priority: i % 2 ? 2 : 0 }));
  const held = await a.take();
  assert.equal(held.id, ids[1]);
  await redis.hset(place.key(held.id), 'processedOn', Date.now() - 9_000);
  const counted = async (state, ...rest) => {
    try {
      return await b.clean(state, ...rest);
    } catch (error) {
      assert.equal(b.letter, 'C');
      assert.ok(['invalid_argument', 'unsupported', 'not_in_state'].includes(error.code), error.message);
      return null; // named: Gaur cleans finished jobs only, what waits is drained
    }
  };
  if ((await counted('active', 0)) === null) return;
  assert.deepEqual(await place.list('active'), [held.id], 'it is locked');
  assert.equal(await counted('wait', 7_500), 2);
  assert.deepEqual(await place.list('wait'), [ids[3]]);
  await b.pause();
  assert.equal(await counted('paused', 0), 1);
  assert.deepEqual(await place.list('paused'), []);
  assert.deepEqual(await place.zset('priority'), []);
  await redis.del(place.key(`${held.id}:lock`));
  assert.equal(await counted('active', 0), 1);
});

check(43, 'empty and obliterate leave nothing that Bull would not', all, async ({ place, a, b, form }) => {
  const fill = async () => {
    for (const opts of [{}, { priority: 2 }, { delay: 60_000 }, { delay: 50, priority: 1 }, {}]) {
      await a.log(await a.add(undefined, {}, opts), 'a row');
    }
    await a.complete(await a.take(), null);
    await fail(a);
  };
  await fill();
  await b.empty();
  const counts = await a.counts();
  assert.deepEqual({ ...counts, paused: 0 }, { waiting: 0, active: 0, delayed: 0, completed: 1, failed: 1, paused: 0 });
  const finished = [...(await place.zset('completed')), ...(await place.zset('failed'))];
  const left = (await keysUnder(place.redis, place.base)).map((key) => key.slice(place.base.length));
  const mayStay = new Set(['id', 'completed', 'failed', 'meta', ...finished.flatMap((id) => [id, `${id}:logs`])]);
  if (form[1] === 'C') for (const key of left) assert.ok(mayStay.has(key), `${key} is left by Gaur`);

  for (const key of await keysUnder(place.redis, place.base)) await place.redis.del(key); // Bull's empty left some
  await fill();
  const held = (await a.add(undefined, {}), await a.take());
  await assert.rejects(b.obliterate(false), { code: 'busy' });
  await b.obliterate(true);
  assert.deepEqual((await keysUnder(place.redis, place.base)).filter((key) => !/:(limiter|de:)/.test(key)), []);
  await assert.rejects(a.complete(held, null), { code: 'not_found' });
  assert.equal(await a.add(undefined, {}), '1');
});
