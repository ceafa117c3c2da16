// Starts, finds and stops `gaur serve`.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const START_MS = 15_000;
const STOP_MS = 45_000;

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

async function until(condition, ms, what) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} took more than ${ms / 1000} s`);
    await pause(5);
  }
}

async function stop(pid) {
  process.kill(pid, 'SIGTERM');
  await until(() => commandLine(pid).length <= 1, STOP_MS, `stopping gaur (pid ${pid})`);
}

/** A server that an earlier demo left up in this folder would hold the data: it is stopped first. */
export async function stopEarlier(work) {
  const note = join(work, 'data', 'demo.json');
  if (!existsSync(note)) return;
  const { pid } = JSON.parse(readFileSync(note, 'utf8'));
  const line = commandLine(pid);
  if (line[1] === 'serve' && line.some((argument) => argument.includes(join(work, 'data')))) await stop(pid);
  rmSync(note);
}

/** Whether nobody else listens there yet. */
function isFree(port) {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once('error', () => answer(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => answer(true)));
  });
}

export async function startServer({ gaur, here, work, once }) {
  if (!existsSync(gaur)) throw new Error(`there is no ${gaur}; scripts/demo builds it`);
  const data = join(work, 'data');
  mkdirSync(data, { recursive: true });
  const portFile = join(data, 'port');
  rmSync(portFile, { force: true });
  const logFile = join(data, 'gaur.log');
  const log = openSync(logFile, 'a');
  const listen = !once && (await isFree(8378)) ? '127.0.0.1:8378' : '127.0.0.1:0';
  const child = spawn(gaur, [
    'serve', '--config', join(here, 'gaur.toml'), '--port-file', portFile, `--server.listen=${listen}`,
    `--store.url=embedded:${data}`, `--pools.sql.folder=${work}`, `--pools.sql.duckdb.data=${join(work, 'sample')}`,
  ], { stdio: ['ignore', log, log], detached: !once });
  closeSync(log);
  const begun = Date.now();
  let ended = null;
  child.on('exit', (code, signal) => { ended = signal ?? code; });
  const alive = () => {
    if (ended === null) return;
    const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
    throw new Error(`gaur ended with ${ended}:\n${said}`);
  };
  await until(() => { alive(); return existsSync(portFile); }, START_MS, 'starting gaur');
  const url = `http://127.0.0.1:${readFileSync(portFile, 'utf8').trim()}`;
  let notReady = '';
  await until(async () => {
    alive();
    const answer = await fetch(`${url}/readyz`);
    notReady = await answer.text();
    return answer.ok;
  }, START_MS, 'getting ready').catch((error) => { throw new Error(`${error.message}: ${notReady}`); });
  writeFileSync(join(data, 'demo.json'), JSON.stringify({ pid: child.pid }));
  child.unref();
  return { url, pid: child.pid, readyMs: Date.now() - begun, alive, stop: () => stop(child.pid) };
}
