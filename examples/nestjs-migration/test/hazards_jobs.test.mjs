// Hazards 3, 4, 5 and 7: delayed jobs that never wake, jobs stranded by the prefetch, workers that nobody can see,
// a timeout that stops nothing.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { openQueue, startOldWorker } from '../lab/application.mjs';
import { until } from '../lab/processes.mjs';
import { inLab, probeGaur, stays } from './support.mjs';

describe('3. delayed jobs never wake', () => {
  inLab('old worker: neither a delay nor a retry with backoff comes back', async ({ lab, redis, queue, journal }) => {
    const delayed = await queue.add(journal.probe('delayed'), { delay: 200 });
    const retried = await queue.add(journal.probe('retried', { fail: 'not today' }), { attempts: 2, backoff: 200 });
    const worker = startOldWorker(lab, redis);
    await until(() => journal.begun('retried').length === 1, 15_000, 'the first attempt');
    await stays(async () => journal.rows().length === 1, 2500, 'ten times their delay: nothing wakes them');
    assert.equal(await delayed.getState(), 'delayed');
    assert.equal(await retried.getState(), 'delayed');
    await worker.stop();
  });

  inLab('Gaur: both wake when they are due', async ({ lab, redis, queue, journal }) => {
    await probeGaur(lab, redis);
    const delayed = await queue.add(journal.probe('delayed'), { delay: 200 });
    const retried = await queue.add(journal.probe('retried', { fail: 'not today' }), { attempts: 2, backoff: 200 });
    assert.deepEqual(await delayed.finished(), { tag: 'delayed' });
    await assert.rejects(retried.finished(), /not today/);
    assert.equal(journal.begun('retried').length, 2);
    const [first, second] = journal.begun('retried');
    assert.ok(second.at - first.at >= 200, 'not before its backoff is over');
  });
});

const BURST = 40; // a whole number of lives in both forms

/** Lives of the old worker, one after the other, until nothing waits. */
async function workItOff({ lab, redis, queue }, env) {
  while (await queue.getWaitingCount()) {
    const worker = startOldWorker(lab, redis, env);
    await until(() => worker.over, 20_000, 'a life of the worker');
    assert.equal(worker.code, 0);
  }
}

describe('4. the prefetched job is stranded', () => {
  inLab('old worker, prefetch ignored: every second job is lost', async (bed) => {
    const { queue, journal } = bed;
    await queue.addBulk(Array.from({ length: BURST }, (_, i) => ({ data: journal.probe(i) })));
    await workItOff(bed, {});
    const counts = await queue.getJobCounts();
    console.log(`      ${BURST} jobs: ${counts.completed} completed, ${counts.active} stranded`);
    assert.equal(counts.completed, BURST / 2);
    assert.equal(counts.active, BURST / 2);
    assert.equal(journal.begun().length, BURST / 2, 'the others never began');
  });

  inLab('old worker, notFetch: none is stranded, until a process is killed', async (bed) => {
    const { lab, redis, queue, journal } = bed;
    await queue.addBulk(Array.from({ length: BURST }, (_, i) => ({ data: journal.probe(i) })));
    await workItOff(bed, { NOT_FETCH: 'true' });
    assert.deepEqual(await queue.getCompletedCount(), BURST);
    await queue.add(journal.probe('killed', { ms: 60_000 }));
    const worker = startOldWorker(lab, redis, { NOT_FETCH: 'true' });
    await until(() => journal.begun('killed').length === 1, 15_000, 'the job starting');
    await worker.stop('SIGKILL');
    assert.equal((await queue.getJobCounts()).active, 1);
  });

  inLab('Gaur: all of them complete, runners being recycled after ten jobs', async ({ lab, redis, queue, journal }) => {
    await probeGaur(lab, redis, { flags: ['--pools.nest.max_jobs=10'] });
    const jobs = await queue.addBulk(Array.from({ length: BURST }, (_, i) => ({ data: journal.probe(i, { ms: 50 }) })));
    await Promise.all(jobs.map((job) => job.finished()));
    // A due runner works on until its successor is ready, which may be after the burst: more jobs until both have run some.
    let sent = BURST;
    const runners = () => new Set(journal.begun().map((row) => row.pid)).size;
    await until(async () => {
      if (runners() > 1) return true;
      await (await queue.add(journal.probe(sent))).finished();
      sent += 1;
      return false;
    }, 20_000, 'a second process running jobs');
    const counts = await queue.getJobCounts();
    assert.equal(counts.completed, sent);
    assert.equal(counts.active + counts.waiting + counts.failed, 0);
    assert.equal(journal.begun().length, sent, 'each once');
  });
});

describe('5. workers are invisible', () => {
  inLab('old worker: getWorkers() shows none', async ({ lab, redis, queue, journal }) => {
    const worker = startOldWorker(lab, redis);
    await (await queue.add(journal.probe('seen'))).finished(); // it is there, and works
    assert.deepEqual(await queue.getWorkers(), []);
    await worker.stop();
  });

  inLab('Gaur: getWorkers() shows it', async ({ lab, redis, queue, journal }) => {
    await probeGaur(lab, redis);
    await (await queue.add(journal.probe('seen'))).finished();
    const workers = await queue.getWorkers();
    assert.ok(workers.length >= 1, 'bull-board and getWorkers() find it');
    assert.ok(workers.every((worker) => worker.name === 'query'));
  });
});

describe('7. a timeout does not stop the work', () => {
  const RUN_MS = 1500;
  const options = { timeout: 300 };

  inLab('old worker: the option does nothing at all', async ({ lab, redis, queue, journal }) => {
    const worker = startOldWorker(lab, redis);
    const job = await queue.add(journal.probe('endless', { ms: RUN_MS }), options);
    assert.deepEqual(await job.finished(), { tag: 'endless' });
    await worker.stop();
  });

  inLab('under process() the job fails, and its work goes on all the same', async ({ lab, redis, queue, journal }) => {
    const consumer = openQueue(lab, redis);
    consumer.process(async (job) => {
      await new Promise((done) => setTimeout(done, job.data.ms));
      await consumer.client.set('the work', 'was done');
    });
    const job = await queue.add(journal.probe('endless', { ms: RUN_MS }), options);
    await assert.rejects(job.finished(), /timed out after 300/);
    await until(async () => (await consumer.client.get('the work')) === 'was done', 5000, 'the work ending');
  });

  inLab('Gaur: the job fails at its timeout, and the work has stopped', async ({ lab, redis, queue, journal }) => {
    await probeGaur(lab, redis);
    await (await queue.add(journal.probe('warm'))).finished();
    const begun = Date.now();
    const job = await queue.add(journal.probe('endless', { ms: RUN_MS }), options);
    await assert.rejects(job.finished(), /timed out after 300|stopped after its timeout/);
    console.log(`      ended after ${Date.now() - begun} ms`);
    assert.ok(Date.now() - begun < RUN_MS, 'before the work would have been done');
    await stays(() => journal.ended('endless').length === 0, RUN_MS, 'the work goes on');
  });
});
