// A repeatable job with the real Bull.
//   node repeat_bull.mjs NODE_MODULES PORT PREFIX NAME add       adds one that runs every second
//   node repeat_bull.mjs NODE_MODULES PORT PREFIX NAME work N    works as Bull does until N runs of it ended, and prints their ids
import { createRequire } from 'node:module';

const [modules, port, prefix, name, what, count] = process.argv.slice(2);
const Bull = createRequire(`${modules}/`)('bull');
const queue = new Bull(name, { prefix, redis: { host: '127.0.0.1', port: Number(port) } });

if (what === 'add') {
  const job = await queue.add({ func: 'sleep', ms: 1 }, { repeat: { every: 1000 } });
  console.log(JSON.stringify(job.id));
} else {
  const ids = [];
  await new Promise((done) => {
    queue.process(async () => 1);
    queue.on('completed', (job) => {
      ids.push(job.id);
      if (ids.length === Number(count)) done();
    });
  });
  console.log(JSON.stringify(ids));
}
await queue.close();
