// The team's own processes: Redis, query server, API server, old workers, and pm2.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { alive, freePort, here, until } from './processes.mjs';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
export const Bull = require('bull');
export const Redis = require('ioredis');

const PREFIX = 'ncs_resource::';
/** What every key of the queue begins with: prefix, colon, queue, colon. */
export const BASE = `${PREFIX}:query:`;

/** A Redis of the lab's own, without persistence unless `args` ask for it. */
export async function startRedis(lab, { port, bind = '127.0.0.1', args = [], wrap = [], password } = {}) {
  const at = port ?? (await freePort());
  const line = [...wrap, 'redis-server', '--port', String(at), '--bind', bind, '--save', '', '--appendonly', 'no', '--dir', lab.folder,
    '--maxmemory-policy', 'noeviction', ...(password ? ['--requirepass', password] : []), ...args];
  const server = lab.start('redis', line[0], line.slice(1));
  await server.until(() => server.said().includes('Ready to accept connections'), 10_000, 'redis-server starting');
  const env = { REDIS_HOST: bind, REDIS_PORT: String(at), BULL_QUEUE_NAME: PREFIX, ...(password ? { REDIS_PASSWORD: password } : {}) };
  return { server, host: bind, port: at, password, env };
}

/** A Bull queue as an unmodified producer has it, or as somebody who looks on. Closed with the lab. */
export function openQueue(lab, redis, settings = {}) {
  const queue = new Bull('query', { prefix: PREFIX, redis: { host: redis.host, port: redis.port, password: redis.password }, settings });
  lab.atEnd(() => queue.close());
  return queue;
}

export function openRedis(lab, redis) {
  const client = new Redis({ host: redis.host, port: redis.port, password: redis.password });
  lab.atEnd(() => client.disconnect());
  return client;
}

/** `.env` as the seed has it, for Gaur's --env and for the workers' ENV_FILE. */
export function writeEnv(lab, redis, more = {}) {
  const file = lab.file('.env');
  const all = { REDIS_PASSWORD: '', ...redis.env, BULL_COUNT: '1', ...more };
  writeFileSync(file, Object.entries(all).map(([name, value]) => `${name}=${value}\n`).join(''));
  return file;
}

const node = (lab, name, script, env, wrap = []) => {
  const line = [...wrap, process.execPath, join(here, 'dist', script)];
  return lab.start(name, line[0], line.slice(1), { env: { ENV_FILE: '/dev/null', BULL_COUNT: '1', ...env } });
};

/** One life of the old worker. */
export function startOldWorker(lab, redis, env = {}, wrap = []) {
  return node(lab, 'old-worker', 'worker.js', { ...redis.env, ...env }, wrap);
}

export async function startQueryServer(lab, redis, { host = '127.0.0.1', port, env = {}, wrap = [] } = {}) {
  const at = port ?? (await freePort());
  const server = node(lab, 'query-server', 'query/main.js', { ...redis.env, BULL_COUNT: '0', QUERY_HOST: host, QUERY_PORT: String(at), ...env }, wrap);
  await server.until(() => server.said().includes('query server:'), 20_000, 'the query server starting');
  return { server, url: `http://${host}:${at}` };
}

export async function startApiServer(lab, query, { host = '127.0.0.1', port, env = {}, wrap = [] } = {}) {
  const at = port ?? (await freePort());
  const server = node(lab, 'api-server', 'api/main.js', { QUERY_URL: query.url, API_HOST: host, API_PORT: String(at), ...env }, wrap);
  await server.until(() => server.said().includes('API server:'), 20_000, 'the API server starting');
  return { server, url: `http://${host}:${at}` };
}

/** The real pm2, with a daemon and a home of its own. */
export class Pm2 {
  #program = join(here, 'node_modules', '.bin', 'pm2');

  constructor(lab, env = {}) {
    this.home = lab.file('pm2');
    this.env = { PATH: process.env.PATH, HOME: lab.folder, PM2_HOME: this.home, PM2_DISABLE_VERSION_CHECK: 'true', ENV_FILE: '/dev/null', BULL_COUNT: '1', TZ: process.env.TZ ?? 'Asia/Seoul', ...env };
    lab.atEnd(() => this.kill());
  }

  async #call(...args) {
    const { stdout } = await run(process.execPath, [this.#program, ...args], { env: this.env, cwd: here, maxBuffer: 1 << 26 });
    return stdout;
  }

  /** Starts the apps of a run.json, with these settings put over those in it. */
  async start(overrides = {}) {
    const file = join(this.home, '..', 'run.json');
    const { apps } = JSON.parse(readFileSync(join(here, 'run.json'), 'utf8'));
    writeFileSync(file, JSON.stringify({ apps: apps.map((app) => ({ ...app, cwd: here, ...overrides })) }));
    await this.#call('start', file);
  }

  restart() {
    return this.#call('restart', 'query-worker');
  }

  stop() {
    return this.#call('stop', 'query-worker');
  }

  resume() {
    return this.#call('start', 'query-worker');
  }

  /** [{ pid, status, restarts, unstable }], an entry an instance. */
  async list() {
    const text = await this.#call('jlist');
    return JSON.parse(text.slice(text.indexOf('['))).map((app) => ({
      pid: app.pid, status: app.pm2_env.status, restarts: app.pm2_env.restart_time, unstable: app.pm2_env.unstable_restarts,
    }));
  }

  /** The daemon's pid: the workers are below it. */
  get daemon() {
    return Number(readFileSync(join(this.home, 'pm2.pid'), 'utf8'));
  }

  async kill() {
    let daemon = 0;
    try {
      daemon = this.daemon;
    } catch {
      return; // it was never started, or is gone
    }
    await this.#call('kill');
    await until(() => !alive(daemon), 10_000, 'the pm2 daemon ending');
  }
}
