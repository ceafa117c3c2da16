// `gaur work` beside or in place of the old workers.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { writeEnv } from './application.mjs';
import { here } from './processes.mjs';

const run = promisify(execFile);

/** $GAUR_PROGRAM, or what scripts/build left in this tree. */
export const gaurProgram = () => resolve(process.env.GAUR_PROGRAM ?? join(here, '../../build/release/bin/gaur'));

/** Flags for the example's gaur.toml where the sample lies in another folder, or the programs in another build. */
export const sampleFlags = (sample) => [
  `--pools.sql.folder=${dirname(sample)}`, `--pools.sql.duckdb.data=${sample}`, `--pools.node.command=env,SAMPLE=${sample},node,dist/gaur-runner.js`,
  `--pools.native.command=${join(dirname(gaurProgram()), 'similar-keywords')},${sample}`,
];

/** Runs one of Gaur's commands to its end; answers { code, stdout, stderr }. */
export async function gaur(args, { env = {}, cwd = here, wrap = [] } = {}) {
  const line = [...wrap, gaurProgram(), ...args];
  try {
    const { stdout, stderr } = await run(line[0], line.slice(1), { env: { PATH: process.env.PATH, ...env }, cwd, maxBuffer: 1 << 26 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

/** A host over this Redis: `command` is 'work' (takes jobs) or 'serve'. */
export async function startGaur(lab, redis, { command = 'work', name = 'gaur', config = join(here, 'gaur.toml'), flags = [], env = {}, envFile, wrap = [], listen = '127.0.0.1:0', headers = {} } = {}) {
  const data = lab.file(`${name}-data`);
  mkdirSync(data, { recursive: true });
  const portFile = join(data, 'port');
  rmSync(portFile, { force: true }); // of a previous process
  const same = ['--config', config, '--env', envFile ?? writeEnv(lab, redis), '--data', data]; // for every command of this host
  const line = [...wrap, gaurProgram(), command, ...same,
    `--server.listen=${listen}`, '--port-file', portFile, `--worker.name=${name}`, ...flags];
  const started = Date.now();
  const host = lab.start(name, line[0], line.slice(1), { env });
  const address = listen.slice(0, listen.lastIndexOf(':'));
  await host.until(() => existsSync(portFile) && readFileSync(portFile, 'utf8').trim() !== '', 15_000, 'gaur binding its port');
  const url = `http://${address}:${readFileSync(portFile, 'utf8').trim()}`;
  if (wrap.length === 0) {
    await host.until(() => fetch(`${url}/readyz`, { headers }).then((answer) => answer.ok, () => false), 15_000, 'gaur getting ready');
  }
  return {
    host, url, data, pid: host.pid, readyMs: Date.now() - started,
    status: async () => (await fetch(`${url}/v1/host`, { headers })).json(),
    quiet: () => gaur(['quiet', ...same], { wrap }),
    leave: (...more) => gaur(['leave', ...same, ...more], { wrap }),
    stop: (...how) => host.stop(...how),
  };
}
