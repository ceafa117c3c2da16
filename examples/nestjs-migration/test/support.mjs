// What the tests of this folder share.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { BASE, openQueue, openRedis, startRedis } from '../lab/application.mjs';
import { startGaur } from '../lab/gaur.mjs';
import { closeConnections } from '../lab/load.mjs';
import { Journal } from '../lab/journal.mjs';
import { Lab, here } from '../lab/processes.mjs';

export const long = process.env.GAUR_LONG === '1';

/** A test with a Redis, an unmodified producer and a journal of its own. */
export function inLab(name, body, { timeout = 60_000 } = {}) {
  it(name, { timeout }, async () => {
    const lab = new Lab('seed');
    try {
      const redis = await startRedis(lab);
      const bed = { lab, redis, queue: openQueue(lab, redis), keys: openRedis(lab, redis), journal: new Journal(lab) };
      await body(bed);
    } catch (error) {
      for (const [what, said] of lab.logs().filter(([what]) => what !== 'redis')) error.message += `\n--- ${what}\n${said}`;
      throw error;
    } finally {
      await lab.end();
      closeConnections();
    }
  });
}

/** Gaur with the use case `probe` only. */
export const probeGaur = (lab, redis, options = {}) => startGaur(lab, redis, { config: join(here, 'test/probe.toml'), ...options });

/** Ids that are active although nobody holds their lock. */
export async function orphans(keys) {
  const found = [];
  for (const id of await keys.lrange(`${BASE}active`, 0, -1)) {
    if (!(await keys.exists(`${BASE}${id}:lock`))) found.push(id);
  }
  return found;
}

/** Checks that a condition stays true for `ms`, to show that something does not happen. */
export async function stays(condition, ms, what) {
  const end = Date.now() + ms;
  do {
    assert.ok(await condition(), what);
    await pause(50);
  } while (Date.now() < end);
}
