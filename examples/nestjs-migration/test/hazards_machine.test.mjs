// Hazard 10: each of the old processes believes that the machine is its own. Measured in the settings of the DuckDBs
// themselves; what that does to memory and waits under load is measured by scripts/demo --bull.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { startOldWorker } from '../lab/application.mjs';
import { startGaur } from '../lab/gaur.mjs';
import { here } from '../lab/processes.mjs';
import { inLab } from './support.mjs';

const PROCESSES = 4; // pm2's `instances` on the seed
const UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

function bytes(text) {
  const [, number, unit] = /^([\d.]+)\s*(\w+)$/.exec(text);
  return Number(number) * UNITS[unit];
}

/** What all DuckDBs that run at once claim, of this machine. */
function claimed(limits) {
  return {
    threads: limits.reduce((sum, one) => sum + Number(one.threads), 0),
    memory: limits.reduce((sum, one) => sum + bytes(one.memory_limit), 0) / totalmem(),
  };
}

const tell = (who, claim) => console.log(
  `      ${who}: ${claim.threads} threads on ${availableParallelism()} cores, ${Math.round(claim.memory * 100)} % of the memory`);

describe('10. oversubscription', () => {
  inLab('old workers: four processes claim the cores four times and more memory than there is', async ({ lab, redis, queue }) => {
    const workers = Array.from({ length: PROCESSES }, () => startOldWorker(lab, redis, { JOBS_A_LIFE: '1', NOT_FETCH: 'true' }));
    const jobs = await queue.addBulk(Array.from({ length: PROCESSES }, () => ({ data: { func: 'duckdb_limits' } })));
    const limits = await Promise.all(jobs.map((job) => job.finished()));
    assert.equal(new Set(limits.map((one) => one.pid)).size, PROCESSES, 'one job in each');
    const claim = claimed(limits);
    tell('old', claim);
    assert.equal(claim.threads, PROCESSES * availableParallelism());
    assert.ok(claim.memory > 2.5);
    for (const worker of workers) await worker.ended;
  });

  inLab('Gaur: all that run at once claim no more than the machine', async ({ lab, redis, queue }) => {
    const gaur = await startGaur(lab, redis, { config: join(here, 'test/limits.toml') });
    const { slots, cores } = await gaur.status();
    const jobs = await queue.addBulk(Array.from({ length: PROCESSES }, () => ({ data: { func: 'duckdb_limits' } })));
    const limits = await Promise.all(jobs.map((job) => job.finished()));
    // As many as may run at once, the greediest of what was seen.
    const most = limits.map(([row]) => row).sort((a, b) => b.threads - a.threads).slice(0, slots);
    const claim = claimed(most);
    tell(`Gaur, ${slots} slots`, claim);
    assert.ok(claim.threads <= Math.max(cores, slots));
    assert.ok(claim.memory < 1);
  });
});
