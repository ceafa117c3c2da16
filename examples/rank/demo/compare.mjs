// The same queries without Gaur: as many DuckDB processes, all at once, each with DuckDB's own defaults (all cores, 80 %
// of the memory). Stops them before the machine is in danger.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { gigabytes, machineMemory } from './memory.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const DANGER = 0.25; // of the memory must stay free
const WATCH_MS = 20;

function start(query, work, state) {
  const child = spawn(process.execPath, [join(here, 'direct.mjs'), String(query.number)], { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
  // Should all watching fail, the kernel is to end these first.
  try { writeFileSync(`/proc/${child.pid}/oom_score_adj`, '1000'); } catch { /* gone already */ }
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  state.running.add(child);
  child.on('exit', (code) => {
    state.running.delete(child);
    if (code === 0) state.done += 1;
    else if (!state.stopped) state.failed.push(said.trim().split('\n').find((line) => line.includes('Error')) ?? `exit code ${code}`);
  });
}

/** Runs the queries without Gaur and returns the result as a check. */
export async function compare(queries, slots, work, picture) {
  picture.say(`the same ${queries.length} queries at once, in as many DuckDB processes, without Gaur`);
  const before = machineMemory();
  const state = { running: new Set(), done: 0, failed: [], stopped: false };
  let mostAlive = 0;
  let mostUsed = 0;
  const begun = Date.now();
  for (const query of queries) start(query, work, state);
  while (state.running.size > 0) {
    const { available, total } = machineMemory();
    mostAlive = Math.max(mostAlive, state.running.size);
    mostUsed = Math.max(mostUsed, before.available - available);
    picture.step(`${state.running.size} processes, ${gigabytes(before.available - available)}, done`, state.done, queries.length);
    if (available < DANGER * total) {
      state.stopped = true;
      break;
    }
    await pause(WATCH_MS);
  }
  const alive = state.running.size;
  for (const child of state.running) child.kill('SIGKILL');
  while (state.running.size > 0) await pause(WATCH_MS);
  picture.end();
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  const text = state.stopped
    ? `stopped after ${seconds} s to save the machine, with ${alive} processes alive and ${gigabytes(mostUsed)} taken (${state.done} had finished)`
    : `all ended after ${seconds} s; at most ${mostAlive} processes and ${gigabytes(mostUsed)} at once, ${state.failed.length} failed${state.failed.length ? ` (${state.failed[0]})` : ''}`;
  return { what: `without Gaur: ${text}; with it never more than ${slots} ran`, passed: mostAlive >= slots + 1 && (state.stopped || state.done > 0) };
}
