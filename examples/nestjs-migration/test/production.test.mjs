// Production: query01 to query04 run `gaur work`, Redis and the producers stand elsewhere. Each is a network namespace with an
// address of its own (or an address 127.0.1.x where namespaces are not permitted).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { join } from 'node:path';
import { startApiServer, startQueryServer, startRedis } from '../lab/application.mjs';
import { Journal } from '../lab/journal.mjs';
import { makeMachines } from '../lab/network.mjs';
import { Lab, here, until } from '../lab/processes.mjs';
import { probeGaur } from './support.mjs';

const HOSTS = ['query01', 'query02', 'query03', 'query04'];
const REQUESTS = 120;
const PASSWORD = 'of-this-test-only';

async function production(lab) {
  const { kind, machines } = makeMachines(lab, ['redis', 'producer', ...HOSTS]);
  const redis = await startRedis(lab, { port: 6379, bind: machines.redis.host, wrap: machines.redis.wrap, password: PASSWORD });
  const { host, wrap } = machines.producer;
  const query = await startQueryServer(lab, redis, { host, wrap, port: 3009 });
  const api = await startApiServer(lab, query, { host, wrap, port: 3008 });
  const work = {};
  for (const name of HOSTS) {
    const machine = machines[name];
    work[name] = await probeGaur(lab, redis, {
      name, wrap: machine.wrap, listen: kind === 'namespaces' ? '127.0.0.1:8378' : `${machine.host}:8378`,
      flags: [`--pools.nest.command=env,MACHINE=${name},node,dist/gaur-runner.js`, '--pools.nest.max_runners=2'],
    });
  }
  const producer = await probeGaur(lab, redis, { name: 'producer', command: 'serve', flags: ['--slots', '0'], wrap, listen: kind === 'namespaces' ? '127.0.0.1:8378' : `${host}:8378` });
  return { kind, machines, redis, api, work, producer };
}

describe('production', () => {
  it('four hosts share the work of one Redis, a producer takes none; one host leaves and nothing is missed', { timeout: 120_000 }, async () => {
    const lab = new Lab('production');
    try {
      const { machines, redis, api, work, producer } = await production(lab);
      const journal = new Journal(lab);
      const orders = { api: api.url, gaur: producer.url, redis: { host: redis.host, port: redis.port, password: PASSWORD }, journal: journal.file, count: REQUESTS };
      const line = [...machines.producer.wrap, process.execPath, join(here, 'test/client.mjs'), JSON.stringify(orders)];
      const client = lab.start('client', line[0], line.slice(1));
      await until(() => journal.ended().length > REQUESTS / 3, 60_000, 'a third of the work');
      const left = await work.query04.leave();
      assert.equal(left.code, 0, left.stdout + left.stderr);
      await client.ended;
      assert.equal(client.code, 0, client.said());
      const seen = JSON.parse(client.said());
      const unanswered = seen.answers.filter((answer) => answer.status !== 200);
      assert.deepEqual(unanswered, [], JSON.stringify({ counts: seen.counts, unanswered }));
      assert.deepEqual(seen.answers, Array.from({ length: REQUESTS }, (_, tag) => ({ status: 200, result: { tag } })));
      assert.equal(seen.throughGaur.status, 200, JSON.stringify(seen.throughGaur));
      assert.deepEqual(seen.throughGaur.job.result, { tag: 'http' });
      assert.equal(seen.counts.active + seen.counts.waiting + seen.counts.failed, 0);
      assert.equal(journal.begun().length, REQUESTS, 'each ran once');
      const by = Object.fromEntries(HOSTS.map((name) => [name, journal.ended().filter((row) => row.machine === name).length]));
      console.log(`      ${Object.entries(by).map(([name, runs]) => `${name}: ${runs}`).join(', ')}; getWorkers() shows ${seen.workers}`);
      assert.ok(HOSTS.every((name) => by[name] > 0), 'every host did some');
      assert.ok(seen.workers >= 3);
    } catch (error) {
      for (const [what, said] of lab.logs().filter(([what]) => what !== 'redis')) error.message += `\n--- ${what}\n${said}`;
      throw error;
    } finally {
      await lab.end();
    }
  });
});
