// Compares the old deployment with 1, 2, 3 and 4 processes, and Gaur, which chooses its number of slots itself. The
// rounds alternate, so that a busy moment of the machine affects all of them.
import { gigabytes, seconds } from './screen.mjs';
import { startNew, startOld } from '../lab/deployments.mjs';
import { measure } from '../lab/measure.mjs';

const ROUNDS = 2;

const best = (values) => Math.min(...values);

export async function compareAll(lab, { sample, count, screen }) {
  const kinds = [1, 2, 3, 4].map((processes) => ({ start: () => startOld(lab, { processes, sample }), runs: [], old: true }));
  kinds.push({ start: () => startNew(lab, { sample }), runs: [], old: false });
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const kind of kinds) {
      const deployment = await kind.start();
      kind.name = deployment.name;
      kind.runs.push(await measure(deployment, count, (tick) => screen.tick(kind.old ? 'old' : 'new', count, tick)));
      await deployment.stop();
      screen.say(`round ${round}: ${kind.name}: ${seconds(kind.runs.at(-1).ms)}, ${gigabytes(kind.runs.at(-1).peakBytes)}`);
    }
  }
  const of = (kind, what) => best(kind.runs.map((run) => run[what]));
  console.log(`\n| ${count} requests at once, the better of ${ROUNDS} | all done | wait p50 | wait p95 | peak memory | most threads |\n|---|---|---|---|---|---|`);
  for (const kind of kinds) {
    console.log(`| ${kind.name} | ${seconds(of(kind, 'ms'))} | ${seconds(of(kind, 'waitP50'))} | ${seconds(of(kind, 'waitP95'))} | ${gigabytes(of(kind, 'peakBytes'))} | ${of(kind, 'peakThreads')} |`);
  }
  const bestOld = Math.min(...kinds.filter((kind) => kind.old).map((kind) => of(kind, 'ms')));
  const ours = of(kinds.at(-1), 'ms');
  console.log(`\nGaur: ${seconds(ours)}; the old deployment with its best number of processes: ${seconds(bestOld)} (${(ours / bestOld).toFixed(2)})`);
  return kinds.every((kind) => kind.runs.every((run) => run.failed === 0)) ? 0 : 1;
}
