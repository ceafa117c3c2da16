import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { here, started } from './harness.mjs';

const installed = existsSync(join(here, 'nest12/node_modules')) && existsSync(join(here, 'nest10/node_modules'));
const options = { skip: installed ? false : 'NestJS is not installed here: scripts/setup' };

for (const [version, file] of [
  [10, 'nest10/run.cjs'],
  [12, 'nest12/run.mjs'],
]) {
  test(`NestJS ${version}: booted once, providers run jobs, closed at the stop`, options, async (t) => {
    const runner = await started(t, [join(here, file)]).ready();
    assert.deepEqual((await runner.call('rank', { n: 2 })).result, [1, 2]);
    assert.deepEqual((await runner.call('forUser', { func: 'forUser', params: { a: 1 }, userId: 'u1' })).result, { params: { a: 1 }, userId: 'u1' });
    const failed = await runner.call('rank', { region: 'xx' });
    assert.deepEqual([failed.type, failed.message], ['failed', 'no such region']);
    for (let i = 0; i < 2; i += 1) assert.deepEqual((await runner.call('perJob', {})).result, { calls: 1, threads: 2 });
    assert.equal(await runner.stop(), 0);
    assert.equal(runner.stdout.match(/database opened/g).length, 1);
    assert.equal(runner.stdout.match(/database closed/g).length, 1);
  });
}

test('runs a processor written for Bull’s job unchanged', options, async (t) => {
  const runner = await started(t, [join(here, 'nest10/run.cjs')]).ready();
  const run = runner.start('handle', {}, { attempt: 3 });
  assert.deepEqual((await runner.outcome(run)).result, [10, 'q']);
  assert.deepEqual([runner.of('progress', run)[0].value, runner.of('log', run)[0].line], [10, 'attempt 3']);
  const failed = await runner.call('handle', { broken: true });
  assert.deepEqual([failed.message, failed.final], ['handle is broken', true]);
});

test('reports all problems of a table that does not fit the application', options, async (t) => {
  const runner = started(t, [join(here, 'nest12/wrong.mjs')]);
  assert.equal(await runner.ended(), 1);
  assert.match(runner.stderr, /functions\.a: .*Nobody/);
  assert.match(runner.stderr, /functions\.b: RankUseCase has no method excute/);
  assert.match(runner.stderr, /functions\.c must be \[Provider, 'method'\]/);
});
