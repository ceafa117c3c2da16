// A client on a machine of its own: sends probes to an API server, calls Gaur's HTTP API, looks at the queue; prints what it got.
import { createRequire } from 'node:module';
import { ask, closeConnections } from '../lab/load.mjs';

const Bull = createRequire(import.meta.url)('bull');
const { api, gaur, redis, journal, count } = JSON.parse(process.argv[2]);

const answers = await Promise.all(Array.from({ length: count }, (_, n) =>
  ask(api, 'probe', { journal, tag: n, ms: 60 }, { timeout: 60_000 }).then(({ status, body }) => ({ status, result: body.result }), (error) => ({ error: error.message }))));
const producer = await fetch(`${gaur}/v1/queues/query/jobs?wait=20s`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: '__default__', data: { func: 'probe', tag: 'http' } }),
});
const throughGaur = { status: producer.status, job: await producer.json() };
const queue = new Bull('query', { prefix: 'ncs_resource::', redis });
const seen = { answers, throughGaur, workers: (await queue.getWorkers()).length, counts: await queue.getJobCounts() };
await queue.close();
closeConnections();
console.log(JSON.stringify(seen));
