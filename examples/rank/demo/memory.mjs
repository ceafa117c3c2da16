// What processes hold, as the kernel counts it.
import { readFileSync, readdirSync } from 'node:fs';

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it ended while we looked
  }
}

function children(pid) {
  const found = [];
  let tasks = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return found;
  }
  for (const task of tasks) {
    found.push(...read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number));
  }
  return found;
}

/** Bytes of a process and all below it: the sum of Pss, so that what they share counts once. */
export function treeMemory(pid) {
  const pss = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`));
  return children(pid).reduce((sum, child) => sum + treeMemory(child), pss ? Number(pss[1]) * 1024 : 0);
}

/** Bytes that the machine has, and that it could still give, a cgroup's limit included. */
export function machineMemory() {
  const info = read('/proc/meminfo');
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(info)[1]) * 1024;
  const machine = { total: field('MemTotal'), available: field('MemAvailable') };
  const limit = Number.parseInt(read('/sys/fs/cgroup/memory.max'), 10);
  const used = Number.parseInt(read('/sys/fs/cgroup/memory.current'), 10);
  if (Number.isFinite(limit) && limit < machine.total) {
    return { total: limit, available: Math.min(machine.available, limit - used) };
  }
  return machine;
}

export const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
