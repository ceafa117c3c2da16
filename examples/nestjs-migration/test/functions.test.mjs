// One machine, ports as the team has them where they are free, and the four functions in their new places: each answers what
// the old worker answered, to the last digit.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { startApiServer, startOldWorker, startQueryServer } from '../lab/application.mjs';
import { sampleFlags, startGaur } from '../lab/gaur.mjs';
import { ask, request } from '../lab/load.mjs';
import { freePort, listens } from '../lab/processes.mjs';
import { makeSample } from '../lab/sample.mjs';
import { inLab } from './support.mjs';

const port = async (wanted) => ((await listens(wanted)) ? freePort() : wanted);
const REQUESTS = 12; // three of each function

describe('the four functions, in SQL, as a plan, as a Node use case, in C++', () => {
  inLab('answer what the old worker answered', async ({ lab, redis, queue }) => {
    const sample = lab.file('sample');
    await makeSample({ rows: 60_000, folder: sample });
    redis.env.SAMPLE = sample;
    const query = await startQueryServer(lab, redis, { port: await port(3009) });
    const api = await startApiServer(lab, query, { port: await port(3008) });
    const askAll = () => Promise.all(Array.from({ length: REQUESTS }, (_, k) => ask(api.url, ...request(k))));

    const worker = startOldWorker(lab, redis, { NOT_FETCH: 'true', JOBS_A_LIFE: String(REQUESTS) });
    const before = await askAll();
    await worker.ended;
    const host = await startGaur(lab, redis, {
      flags: sampleFlags(sample),
    });
    const after = await askAll();
    for (let k = 0; k < REQUESTS; k += 1) {
      assert.equal(before[k].status, 200, JSON.stringify(before[k].body));
      assert.equal(after[k].status, 200, JSON.stringify(after[k].body));
      assert.deepEqual(after[k].body.result, before[k].body.result, request(k)[0]);
    }
    const { functions } = await (await fetch(`${host.url}/v1/functions`)).json();
    const pools = Object.fromEntries(functions.map((one) => [one.name, one.pool]));
    assert.deepEqual([pools.top_keywords, pools.rank_movement, pools.dwell_report, pools.similar_keywords], ['sql', 'sql', 'node', 'native']);
    assert.equal((await queue.getJobCounts()).failed, 0);

    const unknown = await ask(api.url, 'no_such_use_case', {}, { timeout: 5000 }).catch((error) => error);
    console.log(`      a func that nobody serves: ${unknown.message ?? JSON.stringify(unknown.body)}`);
  });
});

