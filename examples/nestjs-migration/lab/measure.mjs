// One burst through a deployment, with what it cost.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { burst, percentile, request, ask } from './load.mjs';

const WATCH_MS = 100;

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it ended while we looked
  }
}

/** Bytes and threads of all these processes: the sum of Pss, so that what they share counts once. */
function held(pids) {
  let bytes = 0;
  let threads = 0;
  for (const pid of pids) {
    bytes += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
    threads += Number(/^Threads:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  }
  return { bytes, threads };
}

/** Sends `count` requests at once; answers times, waits, peaks and every answer. */
export async function measure(deployment, count, onTick = () => {}) {
  for (let k = 0; k < 4; k += 1) await ask(deployment.api, ...request(k)); // each way once, so that both sides are warm
  const before = new Set((await deployment.queue.getJobs(['completed', 'failed'])).map((job) => job.id));
  const seen = { done: 0, peakBytes: 0, peakThreads: 0, mostRunning: 0 };
  let on = true;
  const watching = (async () => {
    while (on) {
      const counts = await deployment.queue.getJobCounts();
      const { bytes, threads } = held(deployment.processes());
      seen.peakBytes = Math.max(seen.peakBytes, bytes);
      seen.peakThreads = Math.max(seen.peakThreads, threads);
      seen.mostRunning = Math.max(seen.mostRunning, counts.active);
      onTick({ waiting: counts.waiting, running: counts.active, done: seen.done, bytes });
      await pause(WATCH_MS);
    }
  })();
  const { answers, ms } = await burst(deployment.api, count, () => { seen.done += 1; }).finally(() => { on = false; });
  await watching;
  const jobs = (await deployment.queue.getJobs(['completed', 'failed'])).filter((job) => !before.has(job.id));
  const waits = jobs.map((job) => job.processedOn - job.timestamp);
  return {
    ...seen, ms, answers,
    failed: answers.filter((answer) => answer.status !== 200).length,
    waitP50: percentile(waits, 0.5),
    waitP95: percentile(waits, 0.95),
  };
}
