// What `npm pack` makes is what a user installs: complete, small, and usable from both kinds of module.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageFolder, started } from './harness.mjs';

const CONSUMER = `
import { applyGrant, currentRun, plan, run, runNest, typed, UnrecoverableError, type RunContext } from '@gaur/runner';
class RankUseCase { execute(data: { n: number }): number { return data.n; } }
class AppModule {}
export const nest = () => runNest(() => AppModule, { functions: { rank: [RankUseCase, 'execute', (data, context) => [data, context.signal]] } });
export const plain = () => run({
  functions: {
    double: async (data: { n: number }, { progress, signal }: RunContext) => { progress(1); signal.throwIfAborted(); return data.n * 2; },
    planned: (data) => plan('SELECT $day', { day: typed('date', data.day) }),
    never: () => { throw new UnrecoverableError(String(currentRun()?.job.id)); },
  },
});
export const grant = (connection: object, context: RunContext) => applyGrant(connection, context);
// @ts-expect-error functions are required
run({});
`;

function packed(t) {
  const folder = mkdtempSync(join(tmpdir(), 'gaur-runner-pack-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], { cwd: packageFolder, stdio: ['ignore', 'pipe', 'inherit'] });
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const home = join(folder, 'node_modules/@gaur/runner');
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['xzf', join(folder, `gaur-runner-${version}.tgz`), '-C', home, '--strip-components=1']);
  const files = execFileSync('find', ['.', '-type', 'f'], { cwd: home, encoding: 'utf8' }).trim().split('\n').sort();
  return { folder, home, files };
}

test('the packed package', async (t) => {
  const { folder, home, files } = packed(t);
  for (const wanted of ['./LICENSE', './README.md', './dist/cli.js', './dist/index.js', './dist/index.mjs', './dist/index.d.ts', './dist/index.d.mts']) {
    assert.ok(files.includes(wanted), `${wanted} is not in it: ${files}`);
  }
  assert.deepEqual(files.filter((file) => /src|test|tsconfig|node_modules/.test(file)), []);
  assert.equal(JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).dependencies, undefined);

  writeFileSync(join(folder, 'one.cjs'), `require('@gaur/runner').run({ functions: { kind: () => 'cjs' } });`);
  writeFileSync(join(folder, 'two.mjs'), `import { run } from '@gaur/runner'; run({ functions: { kind: () => 'esm' } });`);
  for (const [file, kind] of [['one.cjs', 'cjs'], ['two.mjs', 'esm']]) {
    const runner = await started(t, [join(folder, file)]).ready();
    assert.equal((await runner.call('kind')).result, kind);
    assert.equal(await runner.stop(), 0);
  }
});

test('its declarations compile in strict TypeScript, as CommonJS and as ES module', (t) => {
  const { folder } = packed(t);
  symlinkSync(join(packageFolder, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  symlinkSync(join(packageFolder, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'));
  for (const name of ['consumer.cts', 'consumer.mts']) writeFileSync(join(folder, name), CONSUMER);
  const tsc = join(packageFolder, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'node16', '--target', 'es2022', '--types', 'node'];
  execFileSync(process.execPath, [tsc, ...options, 'consumer.cts', 'consumer.mts'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
});
