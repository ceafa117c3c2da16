// The grant on real connections, and on those of the old package, whose shape is imitated: it has no prebuilt binary on npm.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyGrant } from '../dist/index.mjs';
import { fixture, here, started } from './harness.mjs';

const home = join(here, '../../../tests/duckdb/node');
const skip = existsSync(join(home, 'node_modules/@duckdb/node-api')) ? false : '@duckdb/node-api is not installed: scripts/setup';

test('@duckdb/node-api: sets threads and memory for each run', { skip }, async () => {
  const { DuckDBInstance } = createRequire(join(home, 'package.json'))('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  const settings = async () => (await connection.runAndReadAll(`SELECT current_setting('threads')::INTEGER, current_setting('memory_limit')`)).getRows()[0];
  await applyGrant(connection, { threads: 3, memoryBytes: 1000 * 1024 * 1024 });
  assert.deepEqual(await settings(), [3, '600.0 MiB']);
  await applyGrant(connection, { threads: 0, memoryBytes: 0 });
  assert.deepEqual(await settings(), [1, '600.0 MiB']);
  await applyGrant(connection, { threads: 2, memoryBytes: 1024 * 1024 * 1024 }, { memoryShare: 0.5 });
  assert.deepEqual(await settings(), [2, '512.0 MiB']);
  await connection.run('SET lock_configuration = true');
  await assert.rejects(applyGrant(connection, { threads: 1, memoryBytes: 0 }), /locked/);
});

test('a query keeps to its grant and ends on cancel', { skip }, async (t) => {
  const runner = await started(t, [fixture('duckdb.cjs')], { env: { DUCKDB_HOME: home } }).ready();
  assert.deepEqual((await runner.call('count', { n: 1000 }, { threads: 2, memory: 500 * 1024 * 1024 })).result, { n: 1000, threads: 2 });
  const run = runner.start('endless');
  await runner.until(() => runner.of('progress', run).length > 0);
  runner.send({ type: 'cancel', run, reason: 'cancel', message: 'enough' });
  const outcome = await runner.outcome(run);
  assert.equal(outcome.code, 'interrupted');
  assert.deepEqual((await runner.call('count', { n: 5 })).result, { n: 5, threads: 2 });
});

test('the old duckdb package: callbacks, and promises of duckdb-async', async () => {
  const said = [];
  const old = { exec: (sql, callback) => (said.push(sql), setImmediate(callback, null)), run() {}, all() {} };
  await applyGrant(old, { threads: 4, memoryBytes: 1024 * 1024 });
  assert.deepEqual(said, ['SET threads = 4', `SET memory_limit = '614KiB'`]);
  await assert.rejects(applyGrant({ exec: (sql, callback) => callback(new Error('no')) }, { threads: 1, memoryBytes: 0 }), /no/);
  await assert.rejects(applyGrant({ exec: async () => Promise.reject(new Error('async no')) }, { threads: 1, memoryBytes: 0 }), /async no/);
  await assert.rejects(applyGrant({}, { threads: 1, memoryBytes: 0 }), /takes a connection/);
});
