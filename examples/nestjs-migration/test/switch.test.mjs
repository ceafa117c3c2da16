// The switch, with requests coming in all the time: old workers, Gaur beside them, Gaur alone, and back. Not one job is lost
// or completed twice, and every HTTP request is answered.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Pm2, startApiServer, startQueryServer } from '../lab/application.mjs';
import { percentile, stream } from '../lab/load.mjs';
import { until } from '../lab/processes.mjs';
import { inLab, long, orphans, probeGaur } from './support.mjs';

const PROCESSES = 2; // 4 on the seed; as many as this machine carries beside all else
const EACH = long ? 400 : 40; // runs that each phase must show before the next begins

const OLD = 'worker.js';
const GAUR = 'gaur-runner.js';

/** Waits until that program ran `count` more jobs; with `only`, fails if another program began any meanwhile. */
async function phase(journal, name, count, program, { only = false } = {}) {
  const from = journal.rows().length;
  await until(() => journal.rows().slice(from).filter((row) => row.what === 'end' && row.by === program).length >= count, 60_000, name);
  if (!only) return;
  const others = journal.rows().slice(from).filter((row) => row.what === 'begin' && row.by !== program);
  assert.deepEqual(others, [], `${name}: nobody else runs anything`);
}

/** Which phase's processes ran how many, and what every caller got. */
function hold(journal, answers, completed) {
  const failed = answers.filter((answer) => answer.error || answer.status !== 200);
  assert.deepEqual(failed, [], 'every request is answered');
  const begun = new Map();
  for (const row of journal.begun()) begun.set(row.tag, (begun.get(row.tag) ?? 0) + 1);
  const twice = [...begun].filter(([, times]) => times > 1);
  assert.deepEqual(twice, [], 'no job ran twice');
  for (const answer of answers) assert.deepEqual(answer.body.result, { tag: answer.tag });
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, answers.length);
  assert.equal(journal.ended().length, answers.length);
  assert.equal(completed, answers.length, 'completed once each');
}

describe('the switch, and the way back', () => {
  inLab('nothing is lost, nothing runs twice, every request is answered', async ({ lab, redis, queue, keys, journal }) => {
    const api = await startApiServer(lab, await startQueryServer(lab, redis));
    let completed = 0;
    queue.on('global:completed', () => { completed += 1; });
    await queue.isReady();
    const pm2 = new Pm2(lab, { ...redis.env, NOT_FETCH: 'true' });
    await pm2.start({ instances: PROCESSES });
    const requests = stream(lab, api.url, journal, { rate: 25, ms: 20 });
    const began = Date.now();
    const at = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
    const times = {};

    await phase(journal, 'only old workers', EACH, OLD);

    const gaur = await probeGaur(lab, redis, { flags: ['--grace=10s'] });
    times.beside = at();
    await phase(journal, 'Gaur beside the old workers', EACH / 2, GAUR);

    await pm2.stop();
    times.alone = at();
    await phase(journal, 'Gaur alone', EACH, GAUR, { only: true });
    // A worker that pm2 stops between Bull's move to `active` and its lock leaves that job behind: the sweep returns it once
    // its grace is over. Leaving before would leave the job to workers that never look for it.
    await until(async () => (await orphans(keys)).length === 0, 25_000, 'what the old workers left behind to be returned');

    const left = await gaur.leave();
    times.left = at();
    assert.equal(left.code, 0, left.stdout + left.stderr);
    assert.match(left.stdout, /safe to start pm2/i);
    await gaur.host.ended;
    assert.deepEqual(await orphans(keys), [], 'it leaves nothing behind');

    await pm2.resume();
    times.back = at();
    await phase(journal, 'old workers again', EACH, OLD, { only: true });

    const answers = await requests.stop();
    await until(() => completed >= answers.length, 5000, 'the last event').catch(() => {});
    hold(journal, answers, completed);
    const byGaur = journal.ended().filter((row) => row.by === GAUR).length;
    const waits = answers.map((answer) => answer.ms);
    console.log(`      ${answers.length} requests, all answered, each run once: ${answers.length - byGaur} by old workers, ${byGaur} by Gaur; `
      + `p50 ${Math.round(percentile(waits, 0.5))} ms, slowest ${Math.round(Math.max(...waits))} ms`);
    console.log(`      Gaur beside at ${times.beside}, alone at ${times.alone}, left at ${times.left}, pm2 back at ${times.back}`);
    await pm2.stop();
  }, { timeout: 180_000 });

  inLab('careless workers beside `gaur work --sweep-only`: what they strand is healed, Gaur takes none', async ({ lab, redis, queue, journal }) => {
    const api = await startApiServer(lab, await startQueryServer(lab, redis));
    // A job may be stranded again and again before a worker runs it, each time as stalled once more: hence max_stalled.
    // Bull's locks of 30 s cut to 1 s, so that the sweep sees within seconds what the prefetch strands.
    const pm2 = new Pm2(lab, { ...redis.env, LOCK_DURATION_MS: '1000' });
    await pm2.start({ instances: PROCESSES, min_uptime: 0 });
    await probeGaur(lab, redis, { flags: ['--sweep-only', '--grace=500ms', '--worker.max_stalled=100'] });
    const requests = stream(lab, api.url, journal, { rate: 20, ms: 5 });
    await until(() => requests.sent >= 60, 20_000, 'sixty requests');
    const answers = await requests.stop();
    assert.deepEqual(answers.filter((answer) => answer.error || answer.status !== 200), [], 'every request is answered');
    assert.ok(journal.rows().every((row) => row.by === OLD), 'Gaur took nothing');
    assert.equal((await queue.getJobCounts()).active, 0);
    await pm2.stop();
  }, { timeout: 90_000 });
});
