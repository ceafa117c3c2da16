import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixture, packageFolder, started } from './harness.mjs';

const plain = (t, options) => started(t, [fixture('run.cjs')], options).ready();

test('sends ready, runs a job, and closes on stop', async (t) => {
  const runner = await plain(t);
  assert.deepEqual(runner.frames[0], { type: 'ready', protocol: 1, name: 'fixture' });
  const data = { text: 'grüße, 안녕 \u0000 \n', number: 1.5, list: [1, null, true, {}] };
  assert.deepEqual((await runner.call('echo', data)).result, data);
  assert.equal(await runner.stop(), 0);
  assert.match(runner.stdout, /closed/);
});

test('stops at end of file', async (t) => {
  const runner = await plain(t);
  runner.child.stdio[3].end();
  assert.equal(await runner.ended(), 0);
});

test('results have the text of JSON.stringify', async (t) => {
  const runner = await plain(t);
  assert.equal((await runner.call('nothing')).result, null);
  assert.deepEqual((await runner.call('value')).result, { nested: { when: '1970-01-01T00:00:00.000Z', list: [null, null, null], map: {} } });
  assert.deepEqual((await runner.call('surrogate')).result, ['a\ud800b', '\\ud800', '\\\ud83d', '😀']);
});

test('a value that is not JSON fails with its reason', async (t) => {
  const runner = await plain(t);
  for (const [name, data, code, message] of [
    ['bigint', {}, 'not_json', /the result of bigint cannot be turned into JSON: Do not know how to serialize a BigInt/],
    ['circle', {}, 'not_json', /circular/],
    ['deep', { levels: 65 }, 'not_json', /deeper than 64 levels/],
    ['text', { bytes: 9 << 20 }, 'too_large', /the result has 9437186 bytes/],
  ]) {
    const outcome = await runner.call(name, data);
    assert.equal(outcome.type, 'failed', name);
    assert.equal(outcome.code, code);
    assert.match(outcome.message, message);
  }
  assert.equal((await runner.call('deep', { levels: 64 })).type, 'completed');
  assert.equal((await runner.call('text', { bytes: 7 << 20 })).result.length, 7 << 20);
});

test('passes job and grant to the handler', async (t) => {
  const runner = await plain(t);
  const { result } = await runner.call('context', { a: 1 }, { run: 'w:x:0', attempt: 2, started: 5, threads: 0, timeout_ms: 9000 });
  assert.deepEqual(result.job, { id: '7', queue: 'q', name: 'context', function: 'context', data: { a: 1 }, attempt: 2, started: 5, timeoutMs: 9000 });
  assert.deepEqual([result.run, result.threads, result.memoryBytes, result.aborted, result.same], ['w:x:0', 3, 1000000, false, true]);
  assert.equal(result.tmpFolder, runner.scratch);
  const second = (await runner.call('context', {}, { threads: 2, memory: 5 })).result;
  assert.deepEqual([second.threads, second.memoryBytes], [2, 5]);
  assert.equal((await runner.call('deepInside')).result, '7');
});

test('errors keep message, code, stack and details', async (t) => {
  const runner = await plain(t);
  const outcome = await runner.call('fail', { message: 'no such region', more: { code: 'E_REGION', details: { region: 'xx' } } });
  assert.deepEqual([outcome.message, outcome.code, outcome.final, outcome.details], ['no such region', 'E_REGION', false, { region: 'xx' }]);
  assert.match(outcome.stack, /functions\.cjs[^]*caused by: TypeError: the reason behind it/);
  assert.equal((await runner.call('fail', { message: '', more: { code: 7 } })).message, 'Error');
  assert.equal((await runner.call('fail', { message: 'x', more: { final: true } })).final, true);
  assert.equal((await runner.call('throwText')).message, 'only a text');
  assert.match((await runner.call('throwNothing')).message, /threw undefined/);
  assert.equal((await runner.call('throwObject')).message, '{"status":404}');
  const never = await runner.call('unrecoverable');
  assert.deepEqual([never.message, never.final], ['never again', true]);
  const unknown = await runner.call('nobody');
  assert.deepEqual([unknown.code, unknown.final], ['unknown_function', true]);
  assert.match(unknown.message, /there is no function nobody; there are echo, sleep/);
});

test('a SnoozeError snoozes the job', async (t) => {
  const runner = await plain(t);
  const outcome = await runner.call('snooze', { ms: 1500.4 });
  assert.deepEqual([outcome.type, outcome.delay_ms, outcome.message], ['snooze', 1500, 'not yet']);
});

test('a cancel reaches the running handler only', async (t) => {
  const runner = await plain(t);
  const run = runner.start('sleep', { ms: 60_000 });
  await runner.until(() => runner.of('progress', run).length > 0);
  runner.send({ type: 'cancel', run: 'another', reason: 'cancel', message: '' });
  runner.send({ type: 'cancel', run, reason: 'timeout', message: 'over 60 s' });
  const outcome = await runner.outcome(run);
  assert.deepEqual([outcome.type, outcome.code, outcome.message], ['failed', 'interrupted', 'over 60 s']);
  runner.send({ type: 'cancel', run, reason: 'cancel', message: '' });
  assert.equal((await runner.call('echo', 1)).result, 1);
});

test('an uncaught error fails the run and ends the process', async (t) => {
  for (const [name, message] of [
    ['uncaught', 'uncaught exception: out of the blue'],
    ['unhandled', 'unhandled rejection: nobody waits'],
  ]) {
    const runner = await plain(t);
    const outcome = await runner.call(name, {});
    assert.deepEqual([outcome.type, outcome.message, outcome.code, outcome.last], ['failed', message, 'uncaught', true]);
    assert.equal(await runner.ended(), 1);
    assert.match(runner.stderr, /out of the blue|nobody waits/);
  }
});

test('a late error of a cancelled run does not fail the next run', async (t) => {
  const runner = await plain(t);
  const run = runner.start('leftovers', { ms: 300 });
  runner.send({ type: 'cancel', run, reason: 'cancel', message: 'enough' });
  await runner.outcome(run);
  const next = await runner.call('sleep', { ms: 600 });
  assert.equal(next.type, 'completed');
  assert.match(runner.stderr, /which was cancelled: Error: a leftover/);
});

test('a late error of a finished run ends the process after the current run', async (t) => {
  const runner = await plain(t);
  await runner.call('careless', { ms: 50 });
  const run = runner.start('sleep', { ms: 60_000 });
  await runner.until(() => runner.stderr.includes('a careless one'));
  assert.match(runner.stderr, /of run w:\d+:0, which has ended/);
  runner.send({ type: 'cancel', run, reason: 'cancel', message: 'enough' });
  const outcome = await runner.outcome(run);
  assert.deepEqual([outcome.message, outcome.last], ['enough', true]);
  assert.equal(await runner.ended(), 1);
});

test('output of the handler goes to stdout and stderr', async (t) => {
  const runner = await plain(t);
  const run = runner.start('output', {});
  assert.equal((await runner.outcome(run)).result, 'done');
  await runner.until(() => runner.stdout.includes('fake') && runner.stderr.includes('to stderr'));
  assert.deepEqual(runner.of('log', run).map((frame) => frame.line), ['to the log', 'two\nlines \u0000']);
  assert.equal(runner.frames.filter((frame) => frame.run === 'fake').length, 0);
});

test('progress is rate-limited, the last value is sent, and nothing after the outcome', async (t) => {
  const runner = await plain(t);
  const run = runner.start('flood', { count: 20_000 });
  await runner.outcome(run);
  const sent = runner.of('progress', run);
  assert.ok(sent.length < 200, `${sent.length} frames`);
  assert.deepEqual(sent.at(-1).value, { last: true });
  const bad = runner.start('badProgress');
  assert.equal((await runner.outcome(bad)).result, 1);
  assert.match(runner.of('log', bad)[0].line, /progress cannot be turned into JSON/);
  const late = runner.start('afterwards');
  await runner.outcome(late);
  await runner.call('sleep', { ms: 100 });
  assert.deepEqual([...runner.of('progress', late), ...runner.of('log', late)], []);
});

test('a slow reader loses log lines, not the outcome', async (t) => {
  const runner = await plain(t);
  const run = runner.start('flood', { count: 50_000, log: true }); // in one tick of its event loop: it reads nothing meanwhile
  const outcome = await runner.outcome(run);
  assert.equal(outcome.result, 50_000);
  assert.ok(runner.of('log', run).length < 50_000, 'nothing was dropped though 10 MB came at once');
});

test('names a result file in the outcome', async (t) => {
  const runner = await plain(t);
  const outcome = await runner.call('file');
  assert.deepEqual([outcome.result, outcome.file], [{ columns: 2 }, { name: 'r1.csv', format: 'csv', rows: 1 }]);
});

test('a stop aborts the running job and does not wait for one that ignores it', async (t) => {
  const heard = await plain(t);
  const run = heard.start('sleep', { ms: 60_000 });
  await heard.until(() => heard.of('progress', run).length > 0);
  assert.equal(await heard.stop(), 0);
  assert.match(heard.stdout, /closed/);
  const stuck = await plain(t, { env: { CLOSE_MS: '200' } });
  stuck.start('ignoreStop');
  assert.equal(await stuck.stop(), 0);
  assert.match(stuck.stderr, /did not end within 200 ms of the stop/);
});

test('children do not inherit the frames', async (t) => {
  const runner = await plain(t);
  const open = (await runner.call('child')).result.trim().split(' ');
  assert.ok(open.includes('2') && !open.includes('4'), open.join()); // 3 is the folder that ls reads
});

test('exits with a message on a line that is not a frame', async (t) => {
  for (const line of ['this is not JSON\n', '[1]\n', `"${'x'.repeat(9 << 20)}"`]) {
    const runner = await plain(t);
    runner.child.stdio[3].write(line);
    assert.equal(await runner.ended(), 1);
    assert.match(runner.stderr, /not a frame/);
  }
});

test('accepts frames in pieces and ignores unknown ones', async (t) => {
  const runner = await plain(t);
  const text = Buffer.from(`{"type":"new","x":1}\n${JSON.stringify({ type: 'run', run: 'p', function: 'echo', data: '안녕' })}\n`);
  for (const byte of text) runner.child.stdio[3].write(Buffer.from([byte]));
  assert.equal((await runner.outcome('p')).result, '안녕');
});

test('ES modules and CommonJS share one copy', async (t) => {
  const runner = await started(t, [fixture('run.mjs')]).ready();
  assert.match(runner.frames[0].name, /@gaur\/runner, Node/);
  assert.equal((await runner.call('mixed')).final, true);
  assert.equal((await runner.call('unrecoverable')).final, true);
});

test('boot: obeys a stop, exits on an error, rejects a second run()', async (t) => {
  const slow = started(t, ['-e', `require('${packageFolder}').run({ functions: () => { console.log('booting'); return new Promise(() => {}); } })`]);
  await slow.until(() => slow.stdout.includes('booting'));
  assert.equal(await slow.stop(), 0);
  assert.deepEqual(slow.frames, []);
  const broken = started(t, ['-e', `require('${packageFolder}').run({ functions: () => { throw new Error('no database'); } })`]);
  assert.equal(await broken.ended(), 1);
  assert.match(broken.stderr, /cannot start: Error: no database/);
  const none = started(t, ['-e', `require('${packageFolder}').run({ functions: { a: 1 } })`]);
  assert.equal(await none.ended(), 1);
  assert.match(none.stderr, /functions\.a is not a function/);
  const twice = started(t, ['-e', `const g = require('${packageFolder}'); g.run({ functions: { a() {} } }); g.run({ functions: { a() {} } })`]);
  assert.equal(await twice.ended(), 1);
  assert.match(twice.stderr, /already a runner/);
});

test('explains itself when started by hand', async (t) => {
  const runner = started(t, [fixture('run.cjs')], { env: { GAUR_PROTOCOL: undefined } });
  assert.equal(await runner.ended(), 2);
  assert.match(runner.stderr, /started by Gaur/);
});

test('the command line runs the exports of a module', async (t) => {
  const cli = `${packageFolder}/dist/cli.js`;
  const named = await started(t, [cli, 'fixtures/named.mjs']).ready();
  assert.equal((await named.call('double', { n: 21 })).result, 42);
  assert.match((await named.call('version')).message, /there are double, echo$/);
  assert.equal(await named.stop(), 0);
  assert.match(named.stdout, /closed by the command line/);
  const table = await started(t, [cli, 'fixtures/functions.cjs']).ready();
  assert.equal((await table.call('echo', 5)).result, 5);
  const missing = started(t, [cli, 'fixtures/nowhere.js']);
  assert.equal(await missing.ended(), 1);
  assert.match(missing.stderr, /cannot start: Error.*nowhere\.js/);
  const wrong = started(t, [cli]);
  assert.equal(await wrong.ended(), 2);
});
