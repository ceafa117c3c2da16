// Plants a queue with the real Bull, as its users do, and prints what Bull itself says is there.
//   node plant_bull.mjs NODE_MODULES PORT PREFIX NAME
import { createRequire } from 'node:module';

const [modules, port, prefix, name] = process.argv.slice(2);
const Bull = createRequire(`${modules}/`)('bull');
const queue = new Bull(name, { prefix, redis: { host: '127.0.0.1', port: Number(port) } });

async function finish(data, end) {
  await queue.add(data);
  await end(await queue.getNextJob());
}

for (let n = 0; n < 3; n++) await finish({ func: 'rank', n, give: [{ n }] }, (job) => job.moveToCompleted([{ n }], false, true));
await finish({ func: 'rank', give: [{ n: 1 }] }, (job) => job.moveToCompleted([{ n: '1' }], false, true));
await finish({ func: 'mail' }, (job) => job.moveToFailed({ message: 'no such address' }));
await queue.add({ func: 'rank', left: true });
await queue.getNextJob(); // left active, as a worker that died leaves it
await queue.client.del(queue.toKey(`${await queue.client.get(queue.toKey('id'))}:lock`));
await queue.add({ func: 'rank' }, { delay: 3_600_000 });
await queue.add({ func: 'rank' }, { priority: 3 });
await queue.add({ func: 'rank' });
console.log(JSON.stringify(await queue.getJobCounts()));
await queue.close();
