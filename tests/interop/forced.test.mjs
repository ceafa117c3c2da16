// What an administrator does to a running job by force, with Bull's own verbs, stops the run at Gaur's worker within a
// second, and its slot is free again. Nobody but the check sees it: Bull publishes nothing that says so.
import assert from 'node:assert/strict';
import { check, until, withRedis } from './lib/check.mjs';

withRedis();

const longRun = { ms: 60_000, value: 'late' };

/** A worker with one slot, a job that runs in it, and what frees the slot: the next job has to run within a second. */
async function slotIsFreedBy({ place, a, b }, opts, act) {
  await b.call('work', { concurrency: 1 });
  const id = await a.add(undefined, longRun, opts);
  await until(async () => (await place.lock(id)).token, 'it runs');
  const job = await a.queue.getJob(id);
  await act(job);
  const done = performance.now();
  const next = await a.add(undefined, {}, { lifo: true });
  await until(async () => (await a.queue.getJob(next))?.finishedOn, 'the slot is free', 5_000);
  const took = performance.now() - done;
  console.log(`# the slot was free after ${Math.round(took)} ms`);
  assert.ok(took < 1_000, `the slot was free after ${Math.round(took)} ms`);
  assert.deepEqual(b.errors, []);
  return id;
}

check('24c', 'moveToFailed by force: the run is stopped, its outcome is not applied', ['NC'], async (sides) => {
  const { place } = sides;
  const id = await slotIsFreedBy(sides, {}, (job) => job.moveToFailed({ message: 'stopped by hand' }, true));
  const hash = await place.hash(id);
  assert.equal(hash.failedReason, 'stopped by hand');
  assert.equal(hash.returnvalue, undefined);
  assert.equal(hash.attemptsMade, '1');
  assert.deepEqual(await place.zset('failed'), [id]);
  assert.equal((await place.lock(id)).token, null, 'nobody renews its lock');
});

check('24d', 'moveToFailed by force with attempts left: the next run begins when the first was stopped', ['NC'], async (sides) => {
  const { place } = sides;
  let first;
  const id = await slotIsFreedBy(sides, { attempts: 3 }, async (job) => {
    first = (await place.lock(job.id)).token;
    await job.moveToFailed({ message: 'once more' }, true);
  });
  await until(async () => (await place.list('active')).includes(id), 'it runs again');
  const { token } = await place.lock(id);
  assert.ok(token && token !== first);
  assert.equal((await place.hash(id)).attemptsMade, '1');
});

check('24g', 'moveToFailed by force with attempts left: the job runs again at once, though nothing else wakes the worker', ['NC'], async ({ place, a, b }) => {
  await b.call('work', { concurrency: 1 });
  const id = await a.add(undefined, longRun, { attempts: 3 });
  const runs = () => until(async () => (await place.lock(id)).token, 'it runs');
  for (const attempt of ['1', '2']) {
    const first = await runs();
    await (await a.queue.getJob(id)).moveToFailed({ message: 'once more' }, true);
    const moved = performance.now();
    await until(async () => ![null, first].includes((await place.lock(id)).token), 'it runs again', 10_000);
    const took = performance.now() - moved;
    console.log(`# it ran again after ${Math.round(took)} ms`);
    assert.ok(took < 1_500, `it ran again after ${Math.round(took)} ms`);
    assert.equal((await place.hash(id)).attemptsMade, attempt);
  }
  assert.deepEqual(b.errors, []);
});

check('24e', 'moveToCompleted by force, and to delayed through a backoff', ['NC'], async (sides) => {
  const { place, a } = sides;
  const id = await slotIsFreedBy(sides, {}, (job) => job.moveToCompleted('by hand', true, true));
  assert.equal((await place.hash(id)).returnvalue, '"by hand"');
  const again = await a.add(undefined, longRun, { attempts: 2, backoff: 60_000 });
  await until(async () => (await place.lock(again)).token, 'it runs');
  await (await a.queue.getJob(again)).moveToFailed({ message: 'later' }, true);
  const next = await a.add(undefined, {});
  await until(async () => (await a.queue.getJob(next))?.finishedOn, 'the slot is free', 1_000);
  assert.deepEqual(await place.zset('delayed'), [again]);
});

check('24f', 'obliterate by force: the run is stopped and leaves nothing behind', ['NC'], async (sides) => {
  const { place, a, redis } = sides;
  const id = await slotIsFreedBy(sides, { jobId: 'first' }, async () => {
    await a.queue.obliterate({ force: true });
    await a.queue.resume();
  });
  assert.equal(await redis.exists(place.key(id), place.key(`${id}:lock`)), 0);
});
