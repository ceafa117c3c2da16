// Old left, new right: the same burst through the same producers, once with four Bull workers under pm2 and once with
// Gaur, then a bad day for both. Every process is a real one; all of them are ended before this program ends.
//   node demo.mjs [--requests N] [--rows N] [--measure] [--gaur PROGRAM] [--sample FOLDER] [--once]
//     --requests  how many requests come at once (80)
//     --rows      events in the sample (3 million)
//     --measure   instead: the old deployment with 1, 2, 3 and 4 processes, and Gaur, two rounds each
//     --sample    where the sample is or is made: a folder named sample (./sample)
//     --gaur      the program (build/release/bin/gaur of this tree)
//     --once      nothing changes: this demo never leaves anything up
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import * as mishaps from './demo/mishaps.mjs';
import { Screen, gigabytes, seconds } from './demo/screen.mjs';
import { compareAll } from './demo/table.mjs';
import { startNew, startOld } from './lab/deployments.mjs';
import { gaurProgram, sampleFlags, startGaur } from './lab/gaur.mjs';
import { closeConnections } from './lab/load.mjs';
import { measure } from './lab/measure.mjs';
import { Lab, here } from './lab/processes.mjs';
import { makeSample } from './lab/sample.mjs';

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '80' },
    rows: { type: 'string', default: '3000000' },
    measure: { type: 'boolean', default: false },
    gaur: { type: 'string' },
    sample: { type: 'string', default: join(here, 'sample') },
    once: { type: 'boolean', default: false },
  },
});
if (options.gaur) process.env.GAUR_PROGRAM = resolve(options.gaur);
const count = Number(options.requests);
const sample = resolve(options.sample);
const screen = new Screen();

const MISHAPS = [
  ['a worker is killed in a query', mishaps.kill],
  ['a job with a delay of 1 s', mishaps.delay],
  ['a restart during a query of 3 s', mishaps.restart],
  ['who works there', mishaps.workers],
  ['active, and nobody runs it', mishaps.orphans],
];

/** Both sides one after the other, so that neither takes the machine from the other. */
async function compare(lab) {
  const sides = {};
  for (const [side, start] of [['old', () => startOld(lab, { processes: 4, sample })], ['new', () => startNew(lab, { sample })]]) {
    const deployment = await start();
    screen.say(`${side}: ${deployment.name}, API server ${deployment.api}`);
    deployment.restart = side === 'old'
      ? () => deployment.pm2.restart()
      : async () => {
          await deployment.gaur.stop('SIGTERM');
          deployment.gaur = await startGaur(lab, deployment.redis, { flags: sampleFlags(sample) });
        };
    const seen = await measure(deployment, count, (tick) => screen.tick(side, count, tick));
    const bad = [];
    for (const [, mishap] of MISHAPS) bad.push(await mishap(deployment));
    sides[side] = { deployment, seen, bad };
    await deployment.stop();
    if (side === 'new') await deployment.gaur.stop();
  }
  return sides;
}

function different(sides) {
  const pairs = sides.old.seen.answers.map((answer, k) => [answer.body.result, sides.new.seen.answers[k].body.result]);
  return pairs.filter(([a, b]) => !isDeepStrictEqual(a, b)).length;
}

function print({ old, new: fresh }, differing) {
  const [a, b] = [old.seen, fresh.seen];
  console.log('');
  screen.row('', `OLD: ${old.deployment.name}`, `NEW: ${fresh.deployment.name}`);
  screen.rule();
  screen.row(`${count} requests at once, all done`, seconds(a.ms), seconds(b.ms));
  screen.row('  answered well', `${count - a.failed}`, `${count - b.failed}`);
  screen.row('  wait in the queue, p50 / p95', `${seconds(a.waitP50)} / ${seconds(a.waitP95)}`, `${seconds(b.waitP50)} / ${seconds(b.waitP95)}`);
  screen.row('  most at once', `${a.mostRunning}`, `${b.mostRunning}`);
  screen.row('  peak memory', gigabytes(a.peakBytes), gigabytes(b.peakBytes));
  screen.row('  most threads', `${a.peakThreads}`, `${b.peakThreads}`);
  screen.row('  answers that differ', '', `${differing} of ${count}`);
  screen.rule();
  MISHAPS.forEach(([what], i) => screen.row(what, old.bad[i].text, fresh.bad[i].text));
}

async function main() {
  if (!existsSync(gaurProgram())) throw new Error(`there is no ${gaurProgram()}; scripts/demo --bull builds it`);
  const lab = new Lab('bull-demo');
  try {
    screen.say('making the sample (once)');
    await makeSample({ rows: Number(options.rows), folder: sample });
    if (options.measure) return await compareAll(lab, { sample, count, screen });
    const sides = await compare(lab);
    const differing = different(sides);
    print(sides, differing);
    const well = sides.new.bad.every((one) => one.well) && sides.new.seen.failed === 0 && differing === 0;
    console.log(`\n${well ? 'passed' : 'FAILED'}  every request answered by Gaur as by the old workers, no job lost under the faults`);
    return well ? 0 : 1;
  } finally {
    closeConnections();
    await lab.end();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`demo: ${error.stack}`);
  process.exitCode = 1;
}
