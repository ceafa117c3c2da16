// Prints the figures of a run, and checks them.
import { gigabytes } from './memory.mjs';

const FINISHED = 'completed';
const ms = (from, to) => Date.parse(to) - Date.parse(from);
const seconds = (value) => `${(value / 1000).toFixed(2)} s`;

function percentiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  return `p50 ${seconds(at(0.5))}  p95 ${seconds(at(0.95))}  max ${seconds(sorted.at(-1))}`;
}

/** The most jobs that were between their start and their end at the same time, by the stored times. */
function mostAtOnce(jobs) {
  const steps = jobs.flatMap((job) => [[Date.parse(job.processed_on), 1], [Date.parse(job.finished_on), -1]]);
  steps.sort((a, b) => a[0] - b[0] || a[1] - b[1]); // within one millisecond, ends come before starts
  let now = 0;
  let most = 0;
  for (const [, step] of steps) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}

export function printSlots(host) {
  console.log(`\nslots   ${host.slots_sum}`);
}

export function printBurst(seen, expected) {
  const jobs = seen.answers.map((answer) => answer.job).filter((job) => job.state === FINISHED);
  if (jobs.length === 0) return;
  const cpu = jobs.reduce((sum, job) => sum + (job.usage?.cpu_us ?? 0), 0) / 1e6;
  console.log(`burst   ${jobs.length} jobs in ${seconds(seen.wallMs)}, ${cpu.toFixed(1)} s of CPU`);
  console.log(`waits   ${percentiles(jobs.map((job) => ms(job.timestamp, job.processed_on)))}`);
  console.log(`runs    ${percentiles(jobs.map((job) => ms(job.processed_on, job.finished_on)))}`);
  console.log(`alone   ${percentiles(expected.map((answer) => answer.ms))}  (each query directly, on all cores)`);
  console.log(`at once ${Math.max(seen.mostRunning, mostAtOnce(jobs))} at most`);
  console.log(`memory  ${gigabytes(seen.peakPss)} at most, the server and everything below it (sum of Pss)`);
}

export class Checks {
  #all = [];

  add(check) {
    this.#all.push(check);
  }

  run(seen, expected, queries, { wholeSample }) {
    const jobs = seen.answers.map((answer) => answer.job);
    const failed = jobs.find((job) => job.state !== FINISHED);
    const right = seen.answers.filter((answer, i) => answer.result === expected[i].text).length;
    const first = seen.answers.findIndex((answer, i) => answer.result !== expected[i].text);
    const most = Math.max(seen.mostRunning, mostAtOnce(jobs.filter((job) => job.state === FINISHED)));
    const heavy = expected.filter((answer) => answer.ms > 1000).length;
    const { host } = seen;
    this.add({
      what: `${jobs.filter((job) => job.state === FINISHED).length} of ${jobs.length} jobs completed${failed ? `; job ${failed.id}: ${failed.failure?.message}` : ''}`,
      passed: !failed,
    });
    this.add({
      what: `${right} of ${jobs.length} results equal what DuckDB answers directly, byte for byte${first < 0 ? '' : `; not number ${first} (${JSON.stringify(queries[first])})${difference(seen.answers[first].result, expected[first].text)}`}`,
      passed: right === jobs.length,
    });
    this.add({ what: `never more than ${host.slots} at once (${most})`, passed: most <= host.slots });
    this.add({
      what: `granted at most ${seen.mostCores} of ${host.cores} cores and ${gigabytes(seen.mostMemoryGranted)} of ${gigabytes(host.memory_bytes)}`,
      passed: seen.mostCores <= host.cores && seen.mostMemoryGranted <= host.memory_bytes,
    });
    if (wholeSample) {
      this.add({ what: `${heavy} of the queries take over a second alone (at least 20 on 2 cores)`, passed: heavy >= 20 || host.cores > 2 });
    }
  }

  get passed() {
    return this.#all.every((check) => check.passed);
  }

  print() {
    console.log('');
    for (const check of this.#all) console.log(`${check.passed ? 'passed' : 'FAILED'}  ${check.what}`);
  }
}

/** Where two texts part, for the eye. */
function difference(got, wanted) {
  if (got === null) return '';
  let at = 0;
  while (at < got.length && got[at] === wanted[at]) at += 1;
  const from = Math.max(0, at - 40);
  return `\n          got    ...${got.slice(from, at + 60)}\n          wanted ...${wanted.slice(from, at + 60)}`;
}
