// A redis-server of our own: on a free port, in a temporary folder, gone with the test whatever happens.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Waits until `probe` answers something truthy, and answers that. Throws with `what` at the deadline. */
export async function until(probe, what, ms = 10_000) {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not seen within ${ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

// A child that dies with us, even if we are killed: util-linux's setpriv sets the parent-death signal.
const dieWithUs = spawnSync('setpriv', ['--version']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
export function spawnTied(command, args, options) {
  const [head, ...rest] = [...dieWithUs, command, ...args];
  return spawn(head, rest, options);
}

export class RedisServer {
  static async start(...extra) {
    const server = new RedisServer();
    server.folder = mkdtempSync(join(tmpdir(), 'gaur-interop-'));
    try {
      for (let tries = 0; ; ++tries) {
        server.port = await freePort(); // somebody may be faster: then once more
        if (await server.#launch(extra)) break;
        if (tries === 4) throw new Error(`redis-server does not start: ${server.said}`);
      }
    } catch (error) {
      await server.stop();
      throw error;
    }
    server.client = server.connect();
    return server;
  }

  async #launch(extra) {
    this.said = '';
    this.child = spawnTied('redis-server', ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder,
      '--save', '', '--appendonly', 'no', ...extra], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout.on('data', (text) => (this.said += text));
    this.child.stderr.on('data', (text) => (this.said += text));
    this.ended = once(this.child, 'exit');
    await until(() => this.said.includes('Ready to accept connections') || this.child.exitCode !== null,
      'redis-server is ready');
    return this.child.exitCode === null;
  }

  get url() { return `redis://127.0.0.1:${this.port}`; }
  get options() { return { host: '127.0.0.1', port: this.port }; }
  connect() { return new Redis({ ...this.options, maxRetriesPerRequest: null }); }

  async stop() {
    this.client?.disconnect();
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await this.ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
