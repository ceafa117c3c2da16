// The test server: API server, query server and Gaur on one machine behind nginx, two domains, with deploy/nginx/gaur.conf.
// The test changes only the ports and the path of the limits' zones.
import assert from 'node:assert/strict';
import http from 'node:http';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe } from 'node:test';
import { join } from 'node:path';
import { startApiServer, startQueryServer } from '../lab/application.mjs';
import { freePort, here, listens, until } from '../lab/processes.mjs';
import { inLab, probeGaur } from './support.mjs';

const CONF = join(here, '../../deploy/nginx/gaur.conf');
const TOKEN = 'a-token-of-this-test-only';
const bearer = { authorization: `Bearer ${TOKEN}` };

/** nginx in the lab's folder, in the foreground and without root's log files. */
async function startNginx(lab, ports) {
  const port = await freePort();
  let conf = readFileSync(CONF, 'utf8');
  for (const [known, own] of Object.entries(ports)) {
    assert.ok(conf.includes(`127.0.0.1:${known}`));
    conf = conf.replaceAll(`127.0.0.1:${known}`, `127.0.0.1:${own}`);
  }
  assert.equal(conf.match(/listen 80;/g).length, 2);
  conf = conf.replaceAll('listen 80;', `listen 127.0.0.1:${port};`);
  const folder = lab.file('nginx');
  mkdirSync(folder);
  writeFileSync(join(folder, 'gaur.conf'), conf);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
  writeFileSync(join(folder, 'nginx.conf'), `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
events { worker_connections 1024; }
http { access_log off; ${temp} include ${folder}/gaur.conf; }\n`);
  const server = lab.start('nginx', 'nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')]);
  await server.until(() => listens(port), 10_000, 'nginx starting');
  return port;
}

/** A request to one of the domains; `from` is the client's own address. */
function call(port, domain, path, { method = 'GET', body, headers = {}, from = '127.0.0.1' } = {}) {
  return new Promise((done, failed) => {
    const request = http.request({
      host: '127.0.0.1', port, path, method, localAddress: from,
      headers: { host: `${domain}.example.com`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() }));
      answer.on('error', failed);
    });
    request.on('error', failed);
    request.end(body);
  });
}

async function testServer(bed) {
  const { lab, redis } = bed;
  const query = await startQueryServer(lab, redis);
  const api = await startApiServer(lab, query);
  const tokenFile = lab.file('token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const gaur = await probeGaur(lab, redis, { headers: bearer, flags: [`--server.token_file=${tokenFile}`, '--server.trusted_proxies=127.0.0.1', '--server.base_path=/gaur'] });
  const at = (url) => Number(new URL(url).port);
  const port = await startNginx(lab, { 3008: at(api.url), 3009: at(query.url), 8378: at(gaur.url) });
  return { ...bed, port, gaur };
}

describe('the test server behind nginx', () => {
  inLab('two domains: requests go through the API server and through the query server', async (bed) => {
    const { port } = await testServer(bed);
    const throughApi = await call(port, 'api', '/api/query/probe', { method: 'POST', body: JSON.stringify({ tag: 'api' }) });
    assert.deepEqual(JSON.parse(throughApi.text).result, { tag: 'api' });
    const direct = await call(port, 'query', '/query/probe', { method: 'POST', body: JSON.stringify({ params: { tag: 'query' } }) });
    assert.deepEqual(JSON.parse(direct.text).result, { tag: 'query' });
    assert.equal((await call(port, 'query', '/api/health')).status, 404, 'each domain has its own server');
  });

  inLab('the real client address arrives, and nobody can send one of his own', async (bed) => {
    const { port } = await testServer(bed);
    const seen = await call(port, 'api', '/api/health', { from: '127.0.0.7', headers: { 'x-forwarded-for': '6.6.6.6' } });
    assert.equal(JSON.parse(seen.text).client, '127.0.0.7');
    // Gaur counts wrong tokens by address: one client's guesses do not shut out another behind the same nginx.
    const wrong = (from) => call(port, 'api', '/gaur/v1/host', { from, headers: { authorization: 'Bearer not-it' } });
    let last;
    for (let i = 0; i < 11; i += 1) last = await wrong('127.0.0.7');
    assert.equal(last.status, 429);
    assert.equal((await wrong('127.0.0.8')).status, 401);
  });

  inLab('base path: what Gaur answers can be followed through nginx', async (bed) => {
    const { port, journal } = await testServer(bed);
    const added = await call(port, 'api', '/gaur/v1/queues/query/jobs', { method: 'POST', headers: bearer, body: JSON.stringify({ name: 'probe', data: journal.probe('http') }) });
    assert.equal(added.status, 202, added.text);
    const { url } = JSON.parse(added.text);
    assert.match(url, /^\/gaur\/v1\/queues\/query\/jobs\//);
    assert.equal(added.headers.location, url);
    const done = await call(port, 'api', `${url}?wait=20s`, { headers: bearer });
    assert.equal(JSON.parse(done.text).state, 'completed', done.text);
    assert.deepEqual(JSON.parse(done.text).result, { tag: 'http' });
  });

  inLab('awkward ids that Bull takes: each request reaches its own job', async (bed) => {
    const { port, queue } = await testServer(bed);
    const ids = ['user/234', 'a/../b', 'b', '../pause', '%2F', '%252F', 'a+b', 'a b', 'a?b', 'a#b', 'a;b', '//', 'a\\b', '작업', '🙂'];
    for (const jobId of ids) await queue.add('probe', { tag: jobId }, { jobId, delay: 3_600_000 });
    for (const [gone, id] of ids.entries()) {
      const path = `/gaur/v1/queues/query/jobs/${encodeURIComponent(id)}`;
      const found = await call(port, 'api', path, { headers: bearer, from: '127.0.0.11' });
      assert.equal(found.status, 200, `${id}: ${found.text}`);
      assert.equal(JSON.parse(found.text).id, id);
      assert.equal((await call(port, 'api', path, { method: 'DELETE', headers: bearer, from: '127.0.0.11' })).status, 204);
      assert.equal(await queue.getJob(id), null);
      assert.equal(await queue.getDelayedCount(), ids.length - gone - 1, `${id}: another job is gone`);
    }
    assert.equal(await queue.isPaused(), false);
  });

  inLab('server-sent events arrive one by one, unbuffered', async (bed) => {
    const { port, queue, journal } = await testServer(bed);
    const events = [];
    const line = http.get({ host: '127.0.0.1', port, path: '/gaur/v1/queues/query/events', headers: { host: 'api.example.com', ...bearer } });
    let status = 0;
    line.on('response', (answer) => {
      status = answer.statusCode;
      answer.on('data', (chunk) => events.push({ at: Date.now(), text: chunk.toString() }));
    });
    await until(() => status === 200, 10_000, 'the line opening');
    const job = await queue.add(journal.probe('watched', { ms: 1500 }));
    const active = await until(() => events.find((event) => event.text.includes('event: active')), 5000, 'the event of its start');
    assert.equal(journal.ended('watched').length, 0, 'while it runs, not at its end');
    await job.finished();
    const end = await until(() => events.find((event) => event.text.includes('event: completed')), 5000, 'the event of its end');
    assert.ok(end.at - active.at > 1000);
    line.destroy();
  });

  inLab('limits: bodies, requests of one client, and what is not for the world', async (bed) => {
    const { port } = await testServer(bed);
    const large = (size) => JSON.stringify({ tag: 'x'.repeat(size) });
    assert.equal((await call(port, 'api', '/api/query/probe', { method: 'POST', body: large(1 << 21) })).status, 413);
    assert.equal((await call(port, 'api', '/gaur/v1/queues/query/jobs', { method: 'POST', headers: bearer, body: large(9 << 20) }).catch(() => ({ status: 413 }))).status, 413);
    assert.equal((await call(port, 'api', '/gaur/readyz', { headers: bearer })).status, 200);
    assert.equal((await call(port, 'api', '/gaur/metrics', { from: '127.0.0.9', headers: bearer })).status, 403);
    const many = await Promise.all(Array.from({ length: 600 }, () => call(port, 'api', '/api/health', { from: '127.0.0.9' }).catch((error) => error)));
    const refused = many.filter((answer) => answer.status === 429).length;
    console.log(`      600 requests at once from one address: ${refused} refused`);
    assert.ok(refused > 0);
    assert.equal((await call(port, 'api', '/api/health', { from: '127.0.0.10' })).status, 200, 'others are served');
  });
});
