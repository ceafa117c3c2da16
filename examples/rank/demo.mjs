// The demo: starts `gaur serve`, sends it 100 heavy queries at once, shows the progress, and checks the results.
// Leaves the server running.
//   node demo.mjs [--once] [--compare] [--timeline FILE] [--rows N] [--gaur PROGRAM] [--work FOLDER]
//     --once      stop the server at the end; exit 0 only if every check passed
//     --compare   also start the same 100 queries all at once in as many direct DuckDB processes
//     --timeline  write the times of every job to FILE; demo/timeline.mjs draws them
//     --rows      events in the sample (6 million)
//     --gaur      the program (build/release/bin/gaur of this tree)
//     --work      where sample and data go (this folder)
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { askDirectly } from './demo/direct.mjs';
import { compare } from './demo/compare.mjs';
import { Picture } from './demo/picture.mjs';
import { Checks, printBurst, printSlots } from './demo/report.mjs';
import { sendBurst } from './demo/burst.mjs';
import { startServer, stopEarlier } from './demo/server.mjs';
import { timelineOf } from './demo/timeline.mjs';
import { makeSample } from './generate.mjs';
import { burst } from './queries.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    compare: { type: 'boolean', default: false },
    timeline: { type: 'string' },
    rows: { type: 'string', default: '6000000' },
    gaur: { type: 'string', default: resolve(here, '../../build/release/bin/gaur') },
    work: { type: 'string', default: here },
  },
});
const work = resolve(options.work);

async function main() {
  const picture = new Picture();
  await stopEarlier(work);
  picture.say('making the sample (once)');
  await makeSample({ rows: Number(options.rows), folder: join(work, 'sample') });

  const server = await startServer({ gaur: options.gaur, here, work, once: options.once });
  picture.say(`gaur is up at ${server.url} (ready after ${server.readyMs} ms)`);
  const checks = new Checks();
  let seen;
  try {
    const queries = burst();
    seen = await sendBurst(server, queries, picture);
    if (options.timeline) writeFileSync(options.timeline, `${JSON.stringify(timelineOf(seen))}\n`);
    const expected = await askDirectly(queries, work, picture);
    printSlots(seen.host);
    printBurst(seen, expected);
    checks.run(seen, expected, queries, { wholeSample: Number(options.rows) >= 5_000_000 });
  } finally {
    if (options.once) await server.stop();
  }
  if (options.compare) checks.add(await compare(burst(), seen.host.slots, work, picture));
  checks.print();
  if (!options.once) {
    console.log(`\nThe server is still up: ${server.url} (try: curl ${server.url}/v1/host)`);
    console.log(`Stop it with: kill ${server.pid}`);
  }
  return checks.passed ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
}
