// Section 7, checks 44 to 51, 53 and 58: repeats, progress, logs, events, limits, dialects.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { both, check, until, withRedis } from './lib/check.mjs';
import { keysUnder } from './lib/dump.mjs';

withRedis();

const md5 = (text) => createHash('md5').update(text).digest('hex');

check(44, 'repeatable jobs: the keys and iteration ids of the protocol text', ['NN'], async ({ place, a, redis }) => {
  await a.queue.add({}, { repeat: { every: 1_000 } });
  await a.queue.add('nm', {}, { repeat: { every: 2_000 }, jobId: 'J' });
  await a.queue.add('nm', {}, { repeat: { cron: '*/5 * * * * *' } });
  await a.queue.add('nm', {}, { repeat: { cron: '0 5 * * *', tz: 'Europe/Athens', endDate: new Date('2040-01-01Z') }, jobId: 'K' });
  const members = await redis.zrange(place.key('repeat'), 0, -1, 'WITHSCORES');
  const ids = new Map();
  for (let i = 0; i < members.length; i += 2) ids.set(members[i], members[i + 1]);
  const vectors = { '__default__:::1000': '6f7759385e855ae9ce8f89c1765be3a3', 'nm:J::2000': '40c53093dba05cd1c158431255d4b953',
    'nm::::*/5 * * * * *': '0a11f2b486c616b5656a1fd4a961f7a1',
    'nm:K:2208988800000:Europe/Athens:0 5 * * *': '75101c83e249e784c6aa5e68b8b36955' };
  assert.deepEqual([...ids.keys()].sort(), Object.keys(vectors).sort());
  for (const [key, slot] of ids) {
    const [name, jobId] = key.split(':');
    assert.equal(md5(`${name}${jobId}:${md5(key)}`), vectors[key]);
    assert.equal(await redis.exists(place.key(`repeat:${vectors[key]}:${slot}`)), 1, key);
  }
});

check('44b', 'the same schedules by Bull and by Gaur: the same keys, ids and slots; the second add is a duplicate', ['NN', 'NC'], async ({ place, a, b, redis }) => {
  const endDate = Date.UTC(2040, 0, 1);
  const configs = [
    [{ every: 60_000 }, { every: 60_000 }], [{ every: 120_000, jobId: 'J' }, { every: 120_000, schedule: 'J' }],
    [{ cron: '0 0 5 * * *' }, { pattern: '0 0 5 * * *' }], [{ every: 90_000, limit: 3 }, { every: 90_000, limit: 3 }],
    [{ cron: '0 5 * * *', tz: 'Europe/Athens', endDate, jobId: 'K' }, { pattern: '0 5 * * *', time_zone: 'Europe/Athens', end: endDate, schedule: 'K' }],
  ];
  for (const [i, [bulls, gaurs]] of configs.entries()) {
    const name = `nm${i}`;
    const byBull = async () => (await a.queue.add(name, { n: i }, { attempts: 2, repeat: bulls })).id;
    const id = await byBull();
    const [key, slot] = (await redis.zrange(place.key('repeat'), 0, 0, 'WITHSCORES'));
    const expected = { hash: await place.hash(id), score: await redis.zscore(place.key('delayed'), id) };
    const waiting = await a.queue.removeRepeatable(name, bulls);
    assert.ok(!waiting);
    assert.equal(await redis.exists(place.key(id), place.key('repeat')), 0);
    if (b.letter === 'N') await b.queue.add(name, { n: i }, { attempts: 2, repeat: bulls });
    else await b.call('schedule', { ...gaurs, job: { name, data: { n: i }, options: { attempts: 2 } }, next: Number(slot) });
    assert.deepEqual(await redis.zrange(place.key('repeat'), 0, -1, 'WITHSCORES'), [key, slot]);
    const found = await place.hash(id);
    const opts = (hash) => { const { timestamp, delay, ...rest } = JSON.parse(hash.opts); return rest; };
    assert.deepEqual(opts(found), opts(expected.hash));
    for (const field of ['name', 'data', 'priority']) assert.equal(found[field], expected.hash[field]);
    assert.equal(Number(found.timestamp) + Number(found.delay), Number(slot));
    assert.equal(Math.floor(Number(await redis.zscore(place.key('delayed'), id)) / 4096), Math.floor(Number(expected.score) / 4096));
    assert.equal(await byBull(), id, 'Bull finds the same run there');
    assert.deepEqual(await place.hash(id), found);
    await a.queue.removeRepeatable(name, bulls);
    assert.equal(await redis.exists(place.key(id), place.key('repeat')), 0);
  }
});

const cron = { cron: '*/1 * * * * *' };
for (const [letter, repeat] of [['every', { every: 300 }], ['cron', cron]]) {
  check(`45 ${letter}`, 'taking a repeat iteration makes the next; Bull removes what Gaur went on with', ['NN', 'NC'], async ({ place, a, b, redis }) => {
    await a.queue.add('nm', { n: 1 }, { repeat, jobId: 'R', attempts: 2 });
    const takeOne = async () => {
      let job;
      await until(async () => { await b.wake(); job = await b.take(); return job; }, 'an iteration is due', 5_000);
      return job;
    };
    const first = await takeOne();
    const delayed = async () => (await place.zset('delayed')).map((id) => id);
    await until(async () => (await delayed()).length === 1, 'the next iteration is there');
    const [next] = await delayed();
    const [key, slot] = await redis.zrange(place.key('repeat'), 0, 0, 'WITHSCORES');
    assert.equal(next, `repeat:${md5(`nmR:${md5(key)}`)}:${slot}`);
    assert.ok(Number(slot) > Number(first.id.split(':').at(-1)));
    const hash = await place.hash(next);
    const opts = JSON.parse(hash.opts);
    assert.equal(opts.repeat.count, 2);
    assert.equal(opts.repeat.key, key);
    assert.equal(opts.prevMillis, Number(slot));
    assert.equal(opts.jobId, next);
    assert.equal(opts.attempts, 2);
    assert.equal(hash.name, 'nm');
    assert.deepEqual(JSON.parse(hash.data), { n: 1 });
    const due = Math.floor(Number(await redis.zscore(place.key('delayed'), next)) / 4096);
    assert.ok(Math.abs(due - Number(slot)) <= 2, `${due} for ${slot}`);
    await b.complete(first, null);
    assert.equal((await takeOne()).id, next);
    await until(async () => (await delayed()).length === 1, 'and the one after it');
    await a.queue.removeRepeatable('nm', { ...repeat, jobId: 'R' });
    assert.deepEqual(await delayed(), []);
    assert.equal(await redis.zcard(place.key('repeat')), 0);
  });
}
check('45 limit', 'a repeat ends at its limit', ['NN', 'NC'], async ({ place, a, b }) => {
  await a.queue.add('nm', {}, { repeat: { every: 100, limit: 2 } });
  for (let i = 0; i < 2; ++i) {
    let job;
    await until(async () => { await b.wake(); job = await b.take(); return job; }, 'an iteration is due', 5_000);
    await b.complete(job, null);
  }
  await new Promise((done) => setTimeout(done, 250)); // long enough for a third
  await b.wake();
  assert.equal(await b.take(), null);
  assert.deepEqual(await place.zset('delayed'), []);
});
check('45 removed', 'a repeat that was removed makes no further iteration', ['NN', 'NC'], async ({ place, a, b, redis }) => {
  await a.queue.add('nm', {}, { repeat: { every: 200 } });
  await redis.del(place.key('repeat'));
  let job;
  await until(async () => { await b.wake(); job = await b.take(); return job; }, 'the iteration is due', 5_000);
  await b.complete(job, null);
  await new Promise((done) => setTimeout(done, 100));
  assert.deepEqual(await place.zset('delayed'), []);
});

check(46, 'progress of any JSON reaches the listeners and the hash', both, async ({ place, a, b }) => {
  const seen = await b.listen();
  const id = await a.add(undefined, {});
  await a.take();
  for (const [i, value] of [42, { done: 1, of: 3, 'й': '"' }, 'fifty', 0.25].entries()) {
    await a.progress(id, value);
    await until(() => seen.filter((e) => e.kind === 'progress').length === i + 1, 'a progress event');
    const event = seen.filter((e) => e.kind === 'progress')[i];
    assert.equal(event.id, id);
    assert.deepEqual(b.letter === 'N' ? event.detail : JSON.parse(event.detail), value);
    assert.equal((await place.hash(id)).progress, JSON.stringify(value));
    assert.deepEqual((await b.get(id)).progress, value);
  }
  await assert.rejects(a.progress('nobody', 1), { code: 'not_found' });
});

check(47, 'log rows of both sides in one list', both, async ({ place, a, b }) => {
  const id = await a.add(undefined, {});
  const rows = ['first', 'with "quotes" and й', '', 'last'];
  for (const [i, row] of rows.entries()) await (i % 2 ? a : b).log(id, row);
  for (const side of [a, b]) assert.deepEqual(await side.logs(id), rows);
  const { logs, count } = await (await place.look()).getJobLogs(id, 1, 2);
  assert.deepEqual({ logs, count }, { logs: rows.slice(1, 3), count: 4 });
});

check(48, 'all global events of the other side\'s transitions, ids as text', both, async ({ place, a, b, redis }) => {
  const seen = await b.listen();
  const expect = async (kind, id, detail) => {
    await until(() => seen.some((e) => e.kind === kind && e.id === id), `${kind} of ${id || 'the queue'}: ${JSON.stringify(seen)}`, 3_000);
    const event = seen.find((e) => e.kind === kind && e.id === id);
    assert.equal(typeof event.id, 'string');
    if (detail !== undefined) assert.equal(event.detail, detail);
  };
  const id = await a.add(undefined, {});
  await expect('waiting', id);
  await a.complete(await a.take(), { ok: true });
  await expect('active', id);
  await expect('completed', id, '{"ok":true}');
  assert.equal(await a.take(), null);
  if (a.letter === 'N') await until(() => seen.some((e) => e.kind === 'drained'), 'drained');
  const bad = await a.add(undefined, {});
  await a.fail(await a.take(), 'it "broke"');
  await expect('failed', bad, 'it "broke"');
  const stalled = await a.add(undefined, {});
  await a.take();
  await redis.del(place.key(`${stalled}:lock`));
  await until(async () => { await a.recover(); return (await place.list('active')).length === 0; }, 'it is back', 15_000);
  await expect('stalled', stalled);
});

check('48b', 'every channel and payload of one job\'s life is Bull\'s', ['NN', 'CC'], async ({ place, a, form, redis }) => {
  const heard = [];
  const subscriber = redis.duplicate();
  await subscriber.psubscribe(`${place.base}*`);
  subscriber.on('pmessage', (_, channel, payload) => heard.push([channel.slice(place.base.length).replace(/@.+$/, '@token'), payload]));
  const id = await a.add('x', {}, { jobId: 'one' });
  await a.complete(await a.take(), { ok: 'ö"' });
  await a.add('x', {}, { delay: 60_000 });
  await a.add('x', {}, { jobId: id });
  await a.add('x', {});
  await a.progress('3', { n: 1 }).catch(() => {});
  await a.progress('4', { n: 1 });
  await a.fail(await a.take(), 'why "so"');
  await a.promote('2');
  await a.retry('4');
  await a.pause();
  await a.resume();
  await redis.publish(place.key('end'), '');
  await until(() => heard.at(-1)?.[0] === 'end', 'all of it was heard');
  subscriber.disconnect();
  const due = Number((await place.hash('2')).timestamp) + 60_000;
  assert.deepEqual(heard.map(([channel, payload]) => [channel, payload === String(due) ? '<due>' : payload]), [
    ['waiting@token', 'one'], ['active@token', 'one'], ['completed', '{"jobId":"one","val":"{\\"ok\\":\\"ö\\\\\\"\\"}"}'],
    ['delayed', '<due>'], ['duplicated@token', 'one'], ['waiting@token', '4'], ['progress', '{"jobId":"4","progress":{"n":1}}'],
    ['active@token', '4'], ['failed', '{"jobId":"4","val":"why \\"so\\""}'], ['waiting@token', '2'], ['waiting@token', '4'],
    ['paused', 'paused'], ['resumed', 'resumed'], ['end', ''],
  ], form);
});

check(49, 'getWorkers names the workers of the other side', ['NN', 'NC'], async ({ place, a, b }) => {
  if (b.letter === 'C') await b.call('work', { concurrency: 1 });
  else b.process(() => {});
  const workers = await until(async () => { const found = await a.queue.getWorkers(); return found.length === 1 && found; }, 'one worker is listed', 3_000);
  assert.equal(workers[0].name, place.queue);
});

check(50, 'a rate limit is shared: never more starts than it allows', both, async ({ place, a, b, redis }) => {
  for (let i = 0; i < 4; ++i) await a.add(undefined, {});
  const starts = [];
  const begun = Date.now();
  while (starts.length < 4 && Date.now() - begun < 8_000) {
    for (const side of [a, b]) {
      await side.wake();
      const job = await side.take();
      if (!job) continue;
      starts.push(Date.now());
      await side.complete(job, null);
    }
    await new Promise((done) => setTimeout(done, 10));
  }
  assert.equal(starts.length, 4);
  for (let i = 1; i < starts.length; ++i) assert.ok(starts[i] - starts[i - 1] >= 280, `${starts[i] - starts[i - 1]} ms`);
  assert.deepEqual(await redis.hgetall(place.key('limiter:index')), {});
  assert.equal(await redis.exists(place.key('limiter:limited')), 0);
}, { a: { limiter: { max: 1, duration: 300 } }, b: { limiter: { max: 1, duration: 300 } } });
check('50b', 'a job that Bull parked for its limit is removed without a trace', ['NN', 'NC'], async ({ place, a, b, redis }) => {
  for (let i = 0; i < 2; ++i) await a.add(undefined, {});
  const first = await a.take();
  assert.equal(await a.take(), null);
  await a.complete(first, null);
  assert.deepEqual(await redis.smembers(place.key('limiter:limited')), ['2']);
  assert.deepEqual(await redis.hgetall(place.key('limiter:index')), { 2: place.key('limiter:limited') });
  await b.remove('2');
  assert.equal(await redis.exists(place.key('limiter:limited'), place.key('limiter:index'), place.key('delayed'), place.key('2')), 0);
}, { a: { limiter: { max: 1, duration: 60_000 } } });

check(51, 'group ids of Bull\'s limiter are ids like others', ['NN', 'NC'], async ({ place, a, b }) => {
  const one = await a.add(undefined, { who: { id: 'u1' } });
  const two = await a.add(undefined, { who: { id: 'u2' } });
  const more = await a.add(undefined, { who: { id: 'u1' } });
  assert.match(one, /:u1$/);
  assert.match(two, /:u2$/);
  // Groups are limited by who takes: Bull does, Gaur's limit is one for the queue (named).
  const started = [];
  for (let job = await b.take(); job; job = await b.take()) {
    started.push(job.id);
    await b.complete(job, null);
  }
  if (b.letter === 'C') return assert.deepEqual(started, [one]);
  assert.deepEqual(started, [one, two]);
  assert.deepEqual(await place.zset('delayed'), [more]);
}, { a: { limiter: { max: 1, duration: 60_000, groupKey: 'who.id' } }, b: { limiter: { max: 1, duration: 60_000, groupKey: 'who.id' } } });

check(53, 'who has no handler: Bull fails the job in its words, Gaur leaves it to who has', ['NN', 'CN'], async ({ place, a, b }) => {
  b.process('known', 2, () => 'known');
  b.process('other', 3, () => 'other');
  const known = await a.add('known', {});
  const unknown = await a.add('nobody', {});
  await until(async () => (await a.state(unknown)) === 'failed', 'it failed');
  assert.equal((await a.get(unknown)).failedReason, 'Missing process handler for job type nobody');
  assert.deepEqual(await a.finished(known), 'known');
  const star = await a.add('anything', {});
  await until(async () => (await a.state(star)) === 'failed', 'it failed');
  await b.queue.pause(true);
  (await place.make('N')).process('*', () => 'star');
  assert.deepEqual(await a.finished(await a.add('anything', {})), 'star');
});
check('53b', 'process(0) in a producer registers and takes nothing', ['NN', 'NC'], async ({ a, b }) => {
  a.process('__default__', 0, () => 'never');
  if (b.letter === 'C') await b.call('work', { concurrency: 1 });
  else b.process(() => 'bull');
  const id = await a.add(undefined, { value: 'bull' });
  assert.equal(await a.finished(id), 'bull');
  assert.deepEqual(a.errors, []);
});

check(58, 'neither side leaves a key of BullMQ', both, async ({ place, a, b, redis }) => {
  for (const opts of [{}, { priority: 2 }, { delay: 60_000 }, { debounce: { id: 'd', ttl: 5_000 } }]) await a.add('x', {}, opts);
  await b.complete(await b.take(), null);
  await b.fail(await b.take(), 'no');
  await b.pause();
  await b.resume();
  const names = (await keysUnder(redis, place.base)).map((key) => key.slice(place.base.length));
  for (const name of ['events', 'marker', 'prioritized', 'pc', 'waiting-children']) assert.ok(!names.includes(name), name);
  for (const key of await redis.keys('*')) assert.ok(key.startsWith('ncs_resource::') || key.startsWith('gaur:'), key);
});
check('58b', 'Gaur refuses a queue of BullMQ', ['CC'], async ({ place, a, redis }) => {
  await redis.hset(place.key('meta'), 'version', 'bullmq:6.7.0');
  await redis.xadd(place.key('events'), '*', 'event', 'added');
  const other = await place.make('C').catch((error) => error);
  const refused = other instanceof Error ? other : await other.add('x', {}).then(() => null, (error) => error);
  assert.ok(refused, 'it was refused');
  assert.match(refused.message, /BullMQ|bullmq/);
  assert.equal(await redis.exists(place.key('wait'), place.key('id')), 0);
  void a;
});
