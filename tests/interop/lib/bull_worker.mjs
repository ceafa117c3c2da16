// A Bull worker process for the fleet: node bull_worker.mjs '{"queue", "prefix", "redis", "settings", "concurrency"}'.
// Each run takes data.ms; every error and failure that Bull reports to its user goes to stdout as a JSON line.
import Bull from 'bull';

const { queue: name, prefix, redis, settings, concurrency } = JSON.parse(process.argv[2]);
const queue = new Bull(name, { prefix, redis, settings });
const tell = (kind, error) => process.stdout.write(JSON.stringify({ kind, message: String(error?.message ?? error) }) + '\n');
queue.on('error', (error) => tell('error', error));
queue.on('failed', (_, error) => tell('failed', error));
queue.on('lock-extension-failed', (_, error) => tell('lock-extension-failed', error));
process.on('unhandledRejection', (error) => tell('unhandledRejection', error));
queue.process(concurrency, async (job) => {
  await queue.client.hincrby(`fleet:runs`, String(job.id), 1);
  await new Promise((done) => setTimeout(done, job.data.ms));
  return { by: process.pid };
});
process.stdout.write(JSON.stringify({ kind: 'ready' }) + '\n');
