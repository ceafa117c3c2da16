// Section 7, checks 1 and 9 to 20: what producers write, and the order in which it is handed out.
import assert from 'node:assert/strict';
import { both, check, until, withRedis } from './lib/check.mjs';
import { normalOpts } from './lib/dump.mjs';

withRedis();

const drain = async (side) => {
  const order = [];
  for (let job = await side.take(); job; job = await side.take()) {
    order.push(job.id);
    await side.complete(job, null);
  }
  return order;
};

check(1, 'keys stand under prefix, colon, name, colon; the other side sees the jobs', both, async ({ place, a, b, redis }) => {
  const id = await a.add('render', { func: 'rank' });
  const keys = (await redis.keys('*')).filter((key) => !key.startsWith('gaur:'));
  assert.ok(keys.length >= 3, `${keys}`);
  for (const key of keys) assert.ok(key.startsWith('ncs_resource:::query:'), key);
  assert.equal((await b.get(id)).name, 'render');
  assert.equal((await b.counts()).waiting, 1);
  await redis.flushall();
}, { place: { queue: 'query' } });

check(9, 'a job reads the same on both sides', both, async ({ place, a, b }) => {
  const before = Date.now();
  const id = await a.add(undefined, { func: 'rank', n: 1.5, 'ключ': [true, null] });
  const hash = await place.hash(id);
  assert.equal(hash.name, '__default__');
  assert.deepEqual(JSON.parse(hash.data), { func: 'rank', n: 1.5, 'ключ': [true, null] });
  assert.equal(hash.delay, '0');
  assert.equal(hash.priority, '0');
  const opts = JSON.parse(hash.opts);
  assert.equal(opts.attempts, 1);
  assert.equal(opts.delay, 0);
  assert.equal(opts.timestamp, Number(hash.timestamp));
  assert.ok(opts.timestamp >= before - 1 && opts.timestamp <= Date.now() + 1);
  assert.deepEqual(await b.get(id), await a.get(id));

  // Field by field as Bull itself would have written it.
  const full = { attempts: 4, backoff: { type: 'exponential', delay: 70 }, delay: 9_000, priority: 3, timeout: 1_234,
    removeOnComplete: 5, removeOnFail: { age: 60, count: 2 }, stackTraceLimit: 4, timestamp: before, jobId: 'mine' };
  const bull = await (await place.make('N')).queue.add('named', { a: 1 }, { ...full, jobId: 'bulls' });
  await a.add('named', { a: 1 }, full);
  const expected = bull.toJSON();
  const found = (await (await place.look()).getJob('mine')).toJSON();
  assert.deepEqual({ ...found, opts: normalOpts(JSON.stringify(found.opts)) },
    { ...expected, id: 'mine', opts: { ...normalOpts(JSON.stringify(expected.opts)), jobId: 'mine' } });
  assert.deepEqual(Object.keys(await place.hash('mine')).sort(), Object.keys(await place.hash('bulls')).sort());
});

check(10, 'ids count from 1; duplicates and debounced adds count too', both, async ({ place, a, b, redis }) => {
  assert.equal(await a.add('x', {}), '1');
  assert.equal(await b.add('x', {}), '2');
  assert.equal(await a.add('x', {}, { jobId: 'own' }), 'own');
  assert.equal(await b.add('x', {}, { jobId: 'own' }), 'own');
  assert.equal(await redis.get(place.key('id')), '4');
  const first = await a.add('x', {}, { debounce: { id: 'd' } });
  assert.equal(first, '5');
  assert.equal(await b.add('x', {}, { debounce: { id: 'd' } }), first);
  assert.equal(await redis.get(place.key('id')), '6');
  assert.equal(await a.add('x', {}), '7');
});

check(11, 'an add of a known id answers it, changes nothing and is published', both, async ({ place, a, b }) => {
  const seen = await b.listen();
  await b.add('first', { n: 1 }, { jobId: 'own' });
  const hash = await place.hash('own');
  assert.equal(await a.add('second', { n: 2 }, { jobId: 'own', priority: 4 }), 'own');
  assert.deepEqual(await place.hash('own'), hash);
  assert.deepEqual(await place.list('wait'), ['own']);
  await until(() => seen.some((e) => e.kind === 'duplicated' && e.id === 'own'), 'the duplicated event');
});

check(12, 'debounce: the first id is answered, the key lives as Bull lets it', both, async ({ place, a, b, redis }) => {
  const seen = await b.listen();
  const timed = await a.add('x', { n: 1 }, { debounce: { id: 'timed', ttl: 5_000 } });
  assert.equal(await a.add('x', { n: 2 }, { debounce: { id: 'timed', ttl: 5_000 } }), timed);
  const kind = b.letter === 'N' ? 'debounced' : 'duplicated'; // one word in Gaur
  await until(() => seen.some((e) => e.kind === kind && e.id === timed), 'the debounced event');
  const ttl = await redis.pttl(place.key('de:timed'));
  assert.ok(ttl > 3_000 && ttl <= 5_000, `${ttl}`);
  const untimed = await a.add('x', {}, { debounce: { id: 'untimed' } });
  assert.equal(await redis.get(place.key('de:untimed')), untimed);
  assert.equal(await redis.pttl(place.key('de:untimed')), -1);
  assert.equal((await place.hash(untimed)).deid, 'untimed');
  assert.deepEqual(await drain(b), [timed, untimed]);
  assert.equal(await redis.exists(place.key('de:untimed')), 0, 'without ttl it goes with its job');
  assert.equal(await redis.exists(place.key('de:timed')), 1, 'with ttl it stays');
  assert.notEqual(await a.add('x', {}, { debounce: { id: 'untimed' } }), untimed);
});

check(13, 'first in, first out over both producers', both, async ({ a, b }) => {
  const added = [];
  for (let i = 0; i < 10; ++i) added.push(await (i % 3 ? a : b).add('x', { i }));
  added.push(...(await a.addBulk([{ name: 'x', data: { i: 10 } }, { data: { i: 11 } }])));
  added.push(...(await b.addBulk([{ name: 'x', data: { i: 12 } }, { data: { i: 13 } }])));
  assert.deepEqual(await drain(b), added);
});

check(14, 'a lifo job goes before those that wait', both, async ({ a, b }) => {
  const plain = [await a.add('x', {}), await b.add('x', {})];
  const lifo = await a.add('x', {}, { lifo: true });
  assert.deepEqual(await drain(b), [lifo, ...plain]);
});

check(15, 'priorities of both producers: 1, 3, 5, 5, 0', both, async ({ place, a, b }) => {
  const ids = [];
  for (const [i, priority] of [5, 0, 1, 5, 3].entries()) ids.push(await (i % 2 ? a : b).add('x', {}, { priority }));
  const [p5, p0, p1, p5b, p3] = ids;
  assert.deepEqual((await place.zset('priority')).sort(), [p5, p1, p5b, p3].sort());
  assert.equal((await place.hash(p5)).priority, '5');
  assert.deepEqual(await drain(b), [p1, p3, p5, p5b, p0]);
  assert.deepEqual(await place.zset('priority'), []);
});

check(16, 'the eleven jobs of section 3 lie in the same order', both, async ({ place, a, b }) => {
  // Gaur's priorities are whole and not negative: these two are Bull's to add.
  const bull = a.letter === 'N' ? a : b;
  const jobs = [['p5', { priority: 5 }], ['n1', {}], ['p1', { priority: 1 }], ['p5b', { priority: 5 }],
    ['p3', { priority: 3 }], ['L', { lifo: true }], ['p4', { priority: 4 }], ['n2', {}], ['p9', { priority: 9 }],
    ['p-1', { priority: -1 }, bull], ['p2.5', { priority: 2.5 }, bull]];
  for (const [jobId, opts, by = a] of jobs) await by.add('x', {}, { ...opts, jobId });
  assert.deepEqual(await place.list('wait'), 'n2 n1 p5b p9 p5 p3 p4 p1 L p2.5 p-1'.split(' '));
  assert.equal((await drain(b)).length, 11);
});

check(17, 'counts per priority, also while paused', both, async ({ place, a, b }) => {
  for (const priority of [0, 2, 2, 7, 0, 0]) await a.add('x', {}, { priority });
  const looker = await place.look();
  const expected = { 0: 3, 2: 2, 7: 1, 9: 0 };
  const counts = async () => ({ ...(await looker.getCountsPerPriority([0, 2, 7, 9])) });
  assert.deepEqual(await counts(), expected);
  await b.pause();
  assert.deepEqual(await counts(), expected);
  for (const side of [a, b]) assert.equal((await side.counts()).waiting, 6);
});

check(18, 'a delayed job: its score, its time, and what waking changes', both, async ({ place, a, b, redis }) => {
  const id = await a.add('x', {}, { delay: 250 });
  const hash = await place.hash(id);
  const due = Number(hash.timestamp) + 250;
  assert.equal(Number(await redis.zscore(place.key('delayed'), id)), due * 4096 + (Number(id) & 4095));
  assert.equal(hash.delay, '250');
  assert.equal(await b.state(id), 'delayed');
  await b.wake();
  assert.equal(await b.state(id), 'delayed', 'not before its time');
  await until(async () => { await b.wake(); return (await b.state(id)) === 'waiting'; }, 'it woke', 2_000);
  assert.ok(Date.now() >= due, 'not before its time');
  assert.equal((await place.hash(id)).delay, '0');
  assert.equal(JSON.parse((await place.hash(id)).opts).delay, 250);
  assert.deepEqual(await drain(b), [id]);
  // A custom id takes the counter's low bits, too.
  const own = await a.add('x', {}, { delay: 9_000, jobId: 'own' });
  const counter = Number(await redis.get(place.key('id')));
  assert.equal(Number(await redis.zscore(place.key('delayed'), own)),
    (Number((await place.hash(own)).timestamp) + 9_000) * 4096 + (counter & 4095));
});

check(19, 'a sleeping Bull worker wakes early for a delayed job of the other side', both.filter((f) => f[1] === 'N'), async ({ a, b }) => {
  const done = [];
  b.process((job) => { done.push([String(job.id), Date.now()]); });
  await until(() => b.queue.delayedTimestamp !== undefined, 'its first sweep is over');
  const begun = Date.now();
  const id = await a.add(undefined, {}, { delay: 200 });
  await until(() => done.length === 1, 'it ran', 5_000);
  assert.equal(done[0][0], id);
  assert.ok(done[0][1] - begun >= 199, `${done[0][1] - begun} ms`);
}, { b: { settings: { guardInterval: 60_000 } } });

check(20, 'a fractional time on the channel `delayed` disturbs nobody', ['NN', 'NC'], async ({ place, a, b, redis }) => {
  const heard = [];
  const subscriber = redis.duplicate();
  await subscriber.subscribe(place.key('delayed'));
  subscriber.on('message', (_, payload) => heard.push(payload));
  if (b.letter === 'N') b.process(() => 'bull');
  else await b.call('work', { concurrency: 1 });
  const id = await a.add(undefined, {}, { delay: 200.5 });
  const job = await a.queue.getJob(id);
  await job.finished();
  assert.ok(heard.some((payload) => payload.includes('.')), `${heard}`);
  assert.equal(await b.state(id), 'completed');
  subscriber.disconnect();
});
