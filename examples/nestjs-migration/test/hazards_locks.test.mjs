// Hazards 1, 2 and 6: locks that nobody renews, crashed jobs that nobody finds, the gap before the lock. Bull's 30 s are
// shortened on both sides to the durations below; nothing else about the workers is changed.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { openQueue, startOldWorker } from '../lab/application.mjs';
import { startProxy } from '../lab/proxy.mjs';
import { until } from '../lab/processes.mjs';
import { inLab, orphans, probeGaur, stays } from './support.mjs';

const LOCK_MS = 1000; // 30 000 in Bull and in Gaur; Gaur takes no less than this
const shortLock = { env: { LOCK_DURATION_MS: String(LOCK_MS) }, flags: [`--worker.lock=${LOCK_MS}ms`] };
const LONG_RUN_MS = 3 * LOCK_MS;

describe('1. the lock of a fetched job is never renewed', () => {
  inLab('old worker: a query longer than its lock is done, cannot be finished, and stays active for ever', async ({ lab, redis, queue, journal }) => {
    const job = await queue.add(journal.probe('long', { ms: LONG_RUN_MS }));
    const worker = startOldWorker(lab, redis, shortLock.env);
    await until(() => worker.over, 15_000, 'the worker ending');
    assert.equal(worker.code, 1);
    assert.match(worker.said(), /Missing lock for job 1/);
    assert.equal(journal.ended('long').length, 1, 'the work was done');
    assert.equal(await job.getState(), 'active');
    const next = startOldWorker(lab, redis, shortLock.env);
    await stays(async () => (await job.getState()) === 'active', 3 * LOCK_MS, 'no other worker finds it');
    await next.stop();
  });

  inLab('Gaur: it renews, and the query completes', async ({ lab, redis, queue, journal }) => {
    await probeGaur(lab, redis, { flags: shortLock.flags });
    const job = await queue.add(journal.probe('long', { ms: LONG_RUN_MS }));
    assert.deepEqual(await job.finished(), { tag: 'long' });
    assert.equal(await job.getState(), 'completed');
    assert.equal(journal.begun('long').length, 1);
  });
});

describe('2. nobody looks for jobs whose worker is gone', () => {
  inLab('old worker: a killed worker leaves its job active for ever', async ({ lab, redis, queue, journal }) => {
    const job = await queue.add(journal.probe('killed', { ms: 60_000 }));
    const worker = startOldWorker(lab, redis, shortLock.env);
    await until(() => journal.begun('killed').length === 1, 15_000, 'the job starting');
    await worker.stop('SIGKILL');
    const next = startOldWorker(lab, redis, shortLock.env);
    const later = await queue.add(journal.probe('later'));
    await later.finished(); // the new worker works, and does not see the lost job
    await stays(async () => (await job.getState()) === 'active', 3 * LOCK_MS, 'the lost job comes back');
    assert.equal(journal.begun('killed').length, 1);
    await next.stop();
  });

  inLab('old worker: once somebody calls process(), a live long query runs twice', async ({ lab, redis, queue, journal }) => {
    await queue.add(journal.probe('live', { ms: 15_000 }));
    const workers = [startOldWorker(lab, redis, shortLock.env)];
    await until(() => journal.begun('live').length === 1, 15_000, 'the job starting');
    workers.push(startOldWorker(lab, redis, shortLock.env));
    const other = openQueue(lab, redis, { stalledInterval: 200 });
    other.process('another', 0, async () => {}); // no job of ours: it only brings the stalled scan along
    await until(() => journal.begun('live').length === 2, 15_000, 'the second run');
    assert.equal(journal.ended('live').length, 0, 'while the first still runs');
    for (const worker of workers) await worker.stop('SIGKILL');
  });

  inLab('Gaur: a killed runner costs one run; a live long query beside such a scan runs once', async ({ lab, redis, queue, journal }) => {
    const gaur = await probeGaur(lab, redis, { flags: shortLock.flags });
    const other = openQueue(lab, redis, { stalledInterval: 200 });
    other.process('another', 0, async () => {});
    const [killed, live] = [await queue.add(journal.probe('killed', { ms: 1000 })), await queue.add(journal.probe('live', { ms: 4 * LOCK_MS }))];
    const [first] = await until(() => journal.begun('killed').length === 1 && journal.begun('killed'), 15_000, 'the job starting');
    process.kill(first.pid, 'SIGKILL');
    const [, second] = await until(() => journal.begun('killed').length === 2 && journal.begun('killed'), 20_000, 'the second run');
    console.log(`      run again ${second.at - first.at} ms after its first start, in a runner that had to be started`);
    assert.deepEqual(await killed.finished(), { tag: 'killed' });
    assert.deepEqual(await live.finished(), { tag: 'live' });
    assert.equal(journal.begun('live').length, 1);
    assert.ok(gaur.pid);
  });

  inLab('Gaur: what an old worker left is found and run by the sweep', async ({ lab, redis, queue, journal }) => {
    const job = await queue.add(journal.probe('left', { ms: 60_000 }));
    const worker = startOldWorker(lab, redis, shortLock.env);
    await until(() => journal.begun('left').length === 1, 15_000, 'the job starting');
    await worker.stop('SIGKILL');
    await job.update(journal.probe('left', { ms: 10 }));
    await probeGaur(lab, redis, { flags: [...shortLock.flags, '--stalled=on', '--grace=100ms'] });
    assert.deepEqual(await job.finished(), { tag: 'left' });
  });

  inLab('Gaur: a killed host finds its jobs when it is started again', async ({ lab, redis, queue, journal }) => {
    const first = await probeGaur(lab, redis);
    const job = await queue.add(journal.probe('host', { ms: 800 }));
    await until(() => journal.begun('host').length === 1, 15_000, 'the job starting');
    await first.stop('SIGKILL');
    await probeGaur(lab, redis); // 30 s locks: it does not wait for them to expire
    const begun = Date.now();
    assert.deepEqual(await job.finished(), { tag: 'host' });
    const [, again] = journal.begun('host');
    console.log(`      run again ${again.at - begun} ms after the host was ready`);
    assert.ok(again.at - begun < 2000, 'at once, not after the lock expired');
  });
});

// A worker is killed in the moment in which the reply of its take arrives.
async function killAtTake(bed, start) {
  const { lab, redis, queue, journal } = bed;
  let victim;
  let taken = false;
  const proxied = await startProxy(lab, redis, ({ from, text, connection }) => {
    if (from === 'client' && /brpoplpush|blmove/i.test(text)) connection.popping = true;
    const gotJob = from === 'server' && (connection.popping ? /^\$[1-9]/.test(text) : text.includes(journal.file));
    if (!gotJob || taken || victim === undefined) return !taken || victim === undefined;
    taken = true;
    victim.child.kill('SIGKILL');
    return false;
  });
  victim = await start(proxied);
  const job = await queue.add(journal.probe('gap'));
  await until(() => taken, 20_000, 'the take');
  await until(() => victim.over, 5000, 'the victim ending');
  assert.equal(journal.begun('gap').length, 0, 'it was killed before the job began');
  return job;
}

describe('6. a gap between the pop and the lock', () => {
  inLab('old worker: a crash there leaves an active job without lock, for ever', async (bed) => {
    const job = await killAtTake(bed, (proxied) => startOldWorker(bed.lab, proxied));
    assert.deepEqual(await orphans(bed.keys), [String(job.id)]);
    const next = startOldWorker(bed.lab, bed.redis, shortLock.env);
    await (await bed.queue.add(bed.journal.probe('later'))).finished();
    await stays(async () => (await orphans(bed.keys)).length === 1, 2000, 'it stays an orphan');
    await next.stop();
  });

  inLab('Gaur: taking and locking are one step, and the job runs when the host is back', async (bed) => {
    const monitor = await bed.keys.monitor();
    const pops = [];
    monitor.on('monitor', (_, args, source) => {
      if (source !== 'lua' && /^(brpoplpush|rpoplpush|blmove|lmove|brpop|rpop)$/i.test(args[0])) pops.push(args[0]);
    });
    bed.lab.atEnd(async () => monitor.disconnect());
    const job = await killAtTake(bed, async (proxied) => (await probeGaur(bed.lab, proxied, { flags: shortLock.flags })).host);
    assert.deepEqual(await orphans(bed.keys), [], 'taken and locked, or not taken');
    await probeGaur(bed.lab, bed.redis);
    assert.deepEqual(await job.finished(), { tag: 'gap' });
    assert.equal(bed.journal.begun('gap').length, 1);
    assert.deepEqual(pops, []);
  });
});

