// Section 7, checks 55 and 56: a NestJS application with @nestjs/bull, and bull-board's reading of the queues.
import 'reflect-metadata';
import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { BullModule, getQueueToken, OnGlobalQueueCompleted, OnGlobalQueueFailed, Process, Processor } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import assert from 'node:assert/strict';
import { all, both, check, until, withRedis } from './lib/check.mjs';

withRedis();

/** Decorators without a compiler. */
const decorate = (target, name, decorator) => decorator(target.prototype, name, Object.getOwnPropertyDescriptor(target.prototype, name));

async function nestApp(place) {
  const ran = [];
  const finished = [];
  class Queries {
    render(job) { ran.push(['render', String(job.id), job.data]); return { by: 'nest', n: job.data.n }; }
    other(job) { ran.push(['other', String(job.id), job.data]); throw new Error('nest says no'); }
    completed(id, result) { finished.push(['completed', id, result]); }
    failed(id, reason) { finished.push(['failed', id, reason]); }
  }
  Processor(place.queue)(Queries);
  decorate(Queries, 'render', Process({ name: 'render', concurrency: 2 }));
  decorate(Queries, 'other', Process('other'));
  decorate(Queries, 'completed', OnGlobalQueueCompleted());
  decorate(Queries, 'failed', OnGlobalQueueFailed());
  class AppModule {}
  Module({
    imports: [BullModule.forRoot({ prefix: place.prefix, redis: place.redisOptions }), BullModule.registerQueue({ name: place.queue })],
    providers: [Queries],
  })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const queue = app.get(getQueueToken(place.queue));
  await queue.isReady();
  return { app, queue, ran, finished };
}

check(55, 'a Nest application runs the other side\'s named jobs and hears its completions', both.filter((form) => form !== 'NC'), async ({ place, a, redis }) => {
  const { app, queue, ran, finished } = await nestApp(place);
  try {
    await until(async () => (await redis.pubsub('NUMSUB', place.key('completed')))[1] > 0, 'it listens');
    const good = await a.add('render', { n: 7, func: 'rank' });
    const bad = await a.add('other', {});
    await until(() => finished.length === 2, 'both are reported');
    assert.deepEqual(ran.toSorted(), [['render', good, { n: 7, func: 'rank' }], ['other', bad, {}]].toSorted());
    assert.ok(finished.some(([kind, id, result]) => kind === 'completed' && id === good && result === '{"by":"nest","n":7}'), `${finished}`);
    assert.ok(finished.some(([kind, id, reason]) => kind === 'failed' && id === bad && reason === 'nest says no'), `${finished}`);
    assert.deepEqual(await a.finished(good), { by: 'nest', n: 7 });
    // And what the other side runs itself while the application only listens.
    await queue.pause(true);
    const theirs = await a.add('elsewhere', {});
    await a.complete(await until(() => a.take(), 'the job'), { by: 'them' });
    await until(() => finished.some(([, id, result]) => id === theirs && result === '{"by":"them"}'), 'the completion is heard');
  } finally {
    await app.close();
  }
});

check(56, 'bull-board shows the other side\'s jobs in their states', all, async ({ place, a, b, redis }) => {
  const ids = {};
  ids.completed = await a.add('done', { n: 1 });
  await b.complete(await b.take(), { rows: 3 });
  ids.failed = await a.add('bad', {}, { attempts: 2 });
  for (let i = 0; i < 2; ++i) await b.fail(await b.take(), 'it broke');
  ids.active = await a.add('running', {});
  await b.progress((await b.take()).id, 40);
  ids.waiting = await a.add('waits', {});
  ids.delayed = await a.add('later', {}, { delay: 60_000 });
  await a.log(ids.completed, 'a row');
  const looker = await place.look();
  let board;
  createBullBoard({ queues: [new BullAdapter(looker)], serverAdapter: fakeServer((queues) => { board = queues; }) });
  const shown = board.get(place.queue);
  const counts = await shown.getJobCounts();
  for (const state of Object.keys(ids)) {
    assert.equal(counts[state], 1, state);
    const [job] = await shown.getJobs([state], 0, 10);
    assert.equal(String(job.id), ids[state]);
    assert.equal(await job.getState(), state);
  }
  const done = (await shown.getJob(ids.completed)).toJSON();
  assert.deepEqual([done.name, done.data, done.returnvalue], ['done', { n: 1 }, { rows: 3 }]);
  assert.deepEqual(await shown.getJobLogs(ids.completed), ['a row']);
  const failed = (await shown.getJob(ids.failed)).toJSON();
  assert.deepEqual([failed.failedReason, failed.stacktrace.length], ['it broke', 2]);
  assert.equal((await shown.getJob(ids.active)).toJSON().progress, 40);
  assert.equal(await shown.isPaused(), false);
  // What a person does there: retry the failed job, promote the delayed one, clean up.
  await (await shown.getJob(ids.failed)).retry();
  await (await shown.getJob(ids.delayed)).promote();
  assert.equal((await b.counts()).waiting, 3);
  await shown.clean('completed', -1);
  assert.equal(await redis.exists(place.key(ids.completed)), 0);
});

/** The part of a bull-board server that takes the queues in. */
function fakeServer(onQueues) {
  const self = new Proxy({}, { get: (_, name) => (...args) => { if (name === 'setQueues') onQueues(args[0]); return self; } });
  return self;
}
