// Sends all queries at once and follows each to its end, while watching the host and its processes.
import { setTimeout as pause } from 'node:timers/promises';
import { getJson, request } from './http.mjs';
import { treeMemory } from './memory.mjs';

const QUEUE = 'rank';
const WATCH_MS = 200;

/** The job of an answer; a failed one comes as a problem document. */
function jobOf(answer, what) {
  const body = JSON.parse(answer.text);
  if (answer.status === 200 || answer.status === 202) return body;
  if (body.failure) return { state: 'failed', id: body.instance?.split('/').at(-1), failure: body.failure };
  throw new Error(`${what}: ${answer.status} ${answer.text}`);
}

/** One caller: asks, and waits as long as it takes. Answers the job and its result's text. */
async function ask(server, query) {
  const answer = await request(`${server.url}/v1/functions/${query.function}?wait=30s`, {
    method: 'POST', body: JSON.stringify(query.parameters),
  });
  let job = jobOf(answer, query.function);
  const { url } = job;
  while (job.state !== 'completed' && job.state !== 'failed') {
    job = jobOf(await request(`${server.url}${url}?wait=30s`), url);
  }
  if (job.state !== 'completed') return { job, result: null };
  const result = await request(`${server.url}${url}/result`);
  return { job, result: result.text };
}

export async function sendBurst(server, queries, picture) {
  const seen = { answers: [], host: null, mostRunning: 0, mostCores: 0, mostMemoryGranted: 0, peakPss: 0, wallMs: 0 };
  let done = 0;
  const begun = Date.now();
  const watcher = { on: true };
  const watching = (async () => {
    while (watcher.on) {
      server.alive();
      const [host, queue] = await Promise.all([getJson(`${server.url}/v1/host`), getJson(`${server.url}/v1/queues/${QUEUE}`)]);
      seen.host = host;
      seen.mostRunning = Math.max(seen.mostRunning, host.runs.length, queue.counts.active);
      seen.mostCores = Math.max(seen.mostCores, host.cores_granted);
      seen.mostMemoryGranted = Math.max(seen.mostMemoryGranted, host.memory_granted);
      seen.peakPss = Math.max(seen.peakPss, treeMemory(server.pid));
      picture.show({ waiting: queue.counts.waiting, running: queue.counts.active, done, all: queries.length, memory: seen.peakPss });
      await pause(WATCH_MS);
    }
  })();
  const stopWatching = () => { watcher.on = false; };
  watching.catch(stopWatching);
  seen.answers = await Promise.all(queries.map(async (query) => {
    const answer = await ask(server, query);
    done += 1;
    return answer;
  })).finally(stopWatching);
  await watching;
  seen.wallMs = Date.now() - begun;
  picture.show({ waiting: 0, running: 0, done, all: queries.length, memory: seen.peakPss });
  picture.end();
  return seen;
}
