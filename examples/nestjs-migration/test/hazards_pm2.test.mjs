// Hazards 8 and 9, with the real pm2 in a home of its own: it kills after 1.6 s, and gives up on workers that are quick.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Pm2 } from '../lab/application.mjs';
import { alive, until } from '../lab/processes.mjs';
import { inLab, long, probeGaur } from './support.mjs';

const RUN_MS = 3500; // over pm2's kill_timeout of 1600 ms, which is left as it is

describe('8. pm2 kills after 1.6 s', () => {
  inLab('old worker: a restart ends the query in hand, though the worker would finish it', async ({ lab, redis, queue, journal }) => {
    const pm2 = new Pm2(lab, { ...redis.env, NOT_FETCH: 'true' });
    await pm2.start({ instances: 1 });
    const job = await queue.add(journal.probe('in hand', { ms: RUN_MS }));
    const [{ pid }] = await until(() => journal.begun('in hand').length === 1 && journal.begun('in hand'), 20_000, 'the job starting');
    const begun = Date.now();
    const restarted = pm2.restart();
    await until(() => !alive(pid), 10_000, 'the worker ending');
    const ms = Date.now() - begun;
    console.log(`      killed ${ms} ms after pm2 restart`);
    assert.ok(ms >= 1500, 'it was asked first');
    await restarted;
    await (await queue.add(journal.probe('later'))).finished(); // the new process works
    assert.equal(journal.ended('in hand').length, 0);
    assert.equal(await job.getState(), 'active', 'and nobody will finish it');
  });

  inLab('Gaur: a stop waits for the query in hand', async ({ lab, redis, queue, journal }) => {
    const gaur = await probeGaur(lab, redis);
    const job = await queue.add(journal.probe('in hand', { ms: RUN_MS }));
    await until(() => journal.begun('in hand').length === 1, 15_000, 'the job starting');
    await gaur.stop('SIGTERM');
    assert.equal(journal.ended('in hand').length, 1);
    assert.equal(await job.getState(), 'completed');
  });

  inLab('Gaur: past its stop_timeout the query goes back to the queue, uncounted', async ({ lab, redis, queue, journal }) => {
    const gaur = await probeGaur(lab, redis, { flags: ['--server.stop_timeout=300ms'] });
    const job = await queue.add(journal.probe('in hand', { ms: RUN_MS }));
    await until(() => journal.begun('in hand').length === 1, 15_000, 'the job starting');
    await gaur.stop('SIGTERM');
    assert.equal(await job.getState(), 'waiting');
    await job.update(journal.probe('in hand', { ms: 10 }));
    await probeGaur(lab, redis);
    assert.deepEqual(await job.finished(), { tag: 'in hand' });
    const after = await queue.getJob(job.id);
    assert.equal(after.attemptsMade, 0);
  });
});

// pm2's own numbers are 16 restarts, each after less than 1000 ms. The number is cut here unless GAUR_LONG=1, and what
// counts as quick is widened, since a life of ten cached queries (0.8 s on an idle machine) takes longer on a busy one.
const trap = long ? { max_restarts: 16, min_uptime: 4000 } : { max_restarts: 4, min_uptime: 8000 };
const JOBS = trap.max_restarts * 10 + 40;

describe('9. pm2 gives up on quick workers', () => {
  inLab('old worker: ten cached queries a life, and the app is "errored" with jobs still waiting', async ({ lab, redis, queue, journal }) => {
    await queue.addBulk(Array.from({ length: JOBS }, (_, i) => ({ data: journal.probe(i) })));
    const pm2 = new Pm2(lab, { ...redis.env, NOT_FETCH: 'true' });
    await pm2.start({ instances: 1, ...trap });
    const [app] = await until(async () => {
      const apps = await pm2.list();
      return apps[0].status === 'errored' && apps;
    }, 55_000, 'pm2 giving up');
    const waiting = await queue.getWaitingCount();
    console.log(`      errored after ${app.unstable || trap.max_restarts} quick lives of ten jobs; ${waiting} of ${JOBS} jobs wait for ever`);
    assert.ok(waiting >= 20);
    assert.equal(journal.ended().length, JOBS - waiting);
  }, { timeout: 90_000 });

  inLab('Gaur: as many quick jobs, recycled after ten each, are all done', async ({ lab, redis, queue, journal }) => {
    const gaur = await probeGaur(lab, redis, { flags: ['--pools.nest.max_jobs=10'] });
    const jobs = await queue.addBulk(Array.from({ length: JOBS }, (_, i) => ({ data: journal.probe(i) })));
    await Promise.all(jobs.map((job) => job.finished()));
    assert.equal(journal.ended().length, JOBS);
    assert.equal((await fetch(`${gaur.url}/readyz`)).status, 200, 'and it is ready for more');
  });
});

