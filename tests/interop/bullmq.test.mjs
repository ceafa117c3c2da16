// BullMQ 6 and Gaur's Bull store on one queue: a client that only looked disturbs nothing; one that uses the queue is
// named, with the command that mends it once it is gone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Queue, Worker } from 'bullmq';
import { check, until, withRedis } from './lib/check.mjs';

withRedis();

const bullmq = (place) => new Queue(place.queue, { connection: place.redisOptions, prefix: place.prefix });

check('60', 'a BullMQ client that only looked leaves the queue Bull\'s', ['NC'], async ({ place, a, b, redis }) => {
  const id = await a.add(undefined, {});
  const looker = bullmq(place);
  for (const look of ['getJobCounts', 'getWaiting', 'getActive', 'getFailed', 'isPaused', 'getWorkers', 'getMetrics'])
    await (look === 'getMetrics' ? looker.getMetrics('completed') : looker[look]());
  await looker.close();
  assert.match((await redis.hgetall(place.key('meta'))).version, /^bullmq/);
  const job = await b.take();
  assert.equal(job.id, id);
  await b.complete(job, 1);
  await b.pause();
  await b.resume();
  const host = await place.make('C'); // as a start does it: a new store
  assert.equal((await host.counts()).completed, 1);
});

check('61', 'a live mixture is refused; the command in the message mends it', ['NC'], async ({ place, a, b, redis }) => {
  const id = await a.add(undefined, {});
  await b.complete(await b.take(), 1);
  await a.pause(); // a sign of Bull's own: meta-paused
  const other = bullmq(place);
  await other.add('theirs', { n: 1 }, { priority: 3 });
  const worker = new Worker(place.queue, async () => 1, { connection: { ...place.redisOptions, maxRetriesPerRequest: null }, prefix: place.prefix });
  await worker.waitUntilReady();
  const refusal = async () => {
    const host = await place.make('C');
    return host.counts().then(() => null, (error) => error);
  };
  const error = await refusal();
  assert.equal(error.code, 'permission');
  assert.match(error.message, /is mixed: Bull wrote .*; BullMQ wrote .*prioritized/);
  await worker.close();
  await other.close();
  for (let rounds = 0; ; ++rounds) { // each names what it saw in a sample of jobs
    const now = await refusal();
    if (!now) break;
    assert.ok(rounds < 3, now.message);
    const [command] = now.message.match(/redis-cli .*$/);
    assert.ok(command.includes(`-p ${place.redisOptions.port} -n 0`), command);
    execFileSync('sh', ['-c', command.replace(/ \(that drops .*\)$/, '')]);
  }
  assert.equal(await redis.exists(place.key('events'), place.key('prioritized')), 0);
  assert.equal((await a.get(id)).result, 1, 'what Bull wrote is there');
});
