// Draws a run of the demo: which job ran in which slot, and how many jobs waited.
//   node demo.mjs --once --timeline FILE.json      measures: writes the times of every job
//   node demo/timeline.mjs FILE.json FILE.svg      draws: the same FILE.json always gives the same SVG
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const COLOURS = { top_keywords: '#4e79a7', rank_movement: '#f28e2b', dwell_percentiles: '#59a14f', wide_join: '#e15759' };
const LEFT = 84;
const WIDTH = 760; // of the time axis
const ROW = 26;
const WAITING = 120; // height of the curve of waiting jobs

/** What is stored of a run: the times of each job in milliseconds since the first add. */
export function timelineOf(seen) {
  const jobs = seen.answers.map((answer) => answer.job);
  const first = Math.min(...jobs.map((job) => Date.parse(job.timestamp)));
  const since = (text) => Date.parse(text) - first;
  const rows = jobs.map((job) => ({
    function: job.name, added: since(job.timestamp), started: since(job.processed_on), finished: since(job.finished_on),
  }));
  rows.sort((a, b) => a.started - b.started || a.finished - b.finished);
  return { slots: seen.host.slots, calculation: seen.host.slots_sum, jobs: rows };
}

/** The jobs with the slot of each: the slot that has been free for longest. */
function inSlots(jobs) {
  const freeSince = [];
  return jobs.map((job) => {
    let slot = -1;
    for (let i = 0; i < freeSince.length; i += 1) {
      if (freeSince[i] <= job.started && (slot < 0 || freeSince[i] < freeSince[slot])) slot = i;
    }
    if (slot < 0) slot = freeSince.length;
    freeSince[slot] = job.finished;
    return { ...job, slot };
  });
}

/** The corners of the curve of waiting jobs: [milliseconds, how many wait from then on]. */
function waitingOverTime(jobs) {
  const steps = jobs.flatMap((job) => [[job.added, 1], [job.started, -1]]).sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  let waiting = 0;
  return steps.map(([at, step]) => [at, (waiting += step)]);
}

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const round = (value) => Math.round(value * 10) / 10;

export function draw({ slots, calculation, jobs }) {
  const end = Math.max(...jobs.map((job) => job.finished));
  const x = (ms) => round(LEFT + (ms / end) * WIDTH);
  const placed = inSlots(jobs);
  const rows = Math.max(slots, ...placed.map((job) => job.slot + 1));
  const curveTop = 66 + rows * ROW + 34;
  const axis = curveTop + WAITING;
  const most = Math.max(...waitingOverTime(jobs).map(([, waiting]) => waiting));
  const y = (waiting) => round(axis - (waiting / most) * WAITING);
  const out = [];
  const text = (atX, atY, words, more = '') => out.push(`<text x="${atX}" y="${atY}"${more}>${escape(words)}</text>`);

  text(LEFT, 20, `${jobs.length} queries sent at once, ${slots} slots: all done after ${(end / 1000).toFixed(1)} s`, ' class="title"');
  let legend = LEFT;
  for (const [name, colour] of Object.entries(COLOURS)) {
    out.push(`<rect x="${legend}" y="33" width="11" height="11" fill="${colour}"/>`);
    text(legend + 16, 43, name);
    legend += 40 + name.length * 7;
  }
  for (let slot = 0; slot < rows; slot += 1) text(LEFT - 10, 66 + slot * ROW + 15, `slot ${slot + 1}`, ' text-anchor="end"');
  for (const job of placed) {
    const width = Math.max(0.5, round(x(job.finished) - x(job.started) - 0.5));
    out.push(`<rect x="${x(job.started)}" y="${66 + job.slot * ROW}" width="${width}" height="${ROW - 6}" fill="${COLOURS[job.function]}">`
      + `<title>${job.function}: waited ${job.started - job.added} ms, ran ${job.finished - job.started} ms</title></rect>`);
  }
  let path = `M${x(0)} ${axis}`;
  for (const [at, waiting] of waitingOverTime(jobs)) path += `H${x(at)}V${y(waiting)}`;
  out.push(`<path d="${path}H${x(end)}V${axis}Z" fill="#bab0ac" fill-opacity="0.6"/>`);
  text(LEFT - 10, y(most) + 10, String(most), ' text-anchor="end"');
  text(LEFT - 10, curveTop + WAITING / 2 + 4, 'jobs wait', ' text-anchor="end"');
  text(LEFT - 10, axis, '0', ' text-anchor="end"');
  out.push(`<path d="M${LEFT} ${axis}h${WIDTH}" stroke="#888"/>`);
  const step = [1, 2, 5, 10, 20, 50].find((seconds) => end / 1000 / seconds <= 10) ?? 100;
  for (let second = 0; second * 1000 <= end; second += step) {
    out.push(`<path d="M${x(second * 1000)} ${axis}v5" stroke="#888"/>`);
    text(x(second * 1000), axis + 18, `${second} s`, ' text-anchor="middle"');
  }
  const lines = calculation.split('; ');
  lines.forEach((line, i) => text(LEFT, axis + 38 + i * 13, line, ' class="small"'));
  const height = axis + 38 + lines.length * 13;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 30} ${height}" font-family="sans-serif" font-size="12" fill="#222">\n`
    + '<style>.title{font-size:15px;font-weight:bold}.small{font-size:10px;fill:#666}</style>\n'
    + `<rect width="100%" height="100%" fill="#fff"/>\n${out.join('\n')}\n</svg>\n`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , from, to] = argv;
  if (!from || !to) throw new Error('usage: node timeline.mjs FILE.json FILE.svg');
  writeFileSync(to, draw(JSON.parse(readFileSync(from, 'utf8'))));
}
