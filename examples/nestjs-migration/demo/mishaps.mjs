// What happens on a bad day, done to both deployments: each answers one line of what was seen, and whether all went well.
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../lab/processes.mjs';

const PATIENCE_MS = 6000; // how long a job that does not come back is waited for

/** 'done after 1.2 s', or what became of it. */
async function fate(job, begun = Date.now()) {
  const lost = pause(PATIENCE_MS, null, { ref: false });
  const end = await Promise.race([job.finished().then(() => 'done', (error) => `failed: ${error.message}`), lost]);
  if (end === 'done') return { text: `done after ${((Date.now() - begun) / 1000).toFixed(1)} s`, well: true };
  return { text: end ?? `still ${await job.getState()} after ${PATIENCE_MS / 1000} s`, well: false };
}

async function started(deployment, tag, ms) {
  const { queue, journal } = deployment;
  const job = await queue.add(journal.probe(tag, { ms }));
  const [{ pid }] = await until(() => journal.begun(tag).length > 0 && journal.begun(tag), 20_000, `${tag} starting`);
  return { job, pid };
}

/** The process that runs a query is killed, as the kernel does when memory runs out. */
export async function kill(deployment) {
  const { job, pid } = await started(deployment, 'killed', 800);
  process.kill(pid, 'SIGKILL');
  return fate(job);
}

/** A job for later. */
export async function delay(deployment) {
  const job = await deployment.queue.add(deployment.journal.probe('delayed'), { delay: 1000 });
  return fate(job);
}

/** A restart while a query of 3 s runs, as a deploy does it. */
export async function restart(deployment) {
  const { job } = await started(deployment, 'in hand', 3000);
  const begun = Date.now();
  await deployment.restart();
  return fate(job, begun);
}

/** Whether bull-board and the like see who works. */
export async function workers(deployment) {
  const seen = await deployment.queue.getWorkers();
  return { text: `${seen.length} seen by getWorkers()`, well: seen.length > 0 };
}

/** Jobs that are active although nobody runs them. */
export async function orphans(deployment) {
  const active = await deployment.queue.getActiveCount();
  return { text: `${active} ${active === 1 ? 'job' : 'jobs'}`, well: active === 0 };
}
