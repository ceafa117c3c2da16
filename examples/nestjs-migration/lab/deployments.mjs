// The two deployments that are compared: the same producers in front of the old workers, or in front of Gaur. Each has a
// Redis, an API server and a query server of its own.
import { Journal } from './journal.mjs';
import { Pm2, openQueue, openRedis, startApiServer, startQueryServer, startRedis } from './application.mjs';
import { sampleFlags, startGaur } from './gaur.mjs';
import { tree, until } from './processes.mjs';

async function producers(lab, sample) {
  const redis = await startRedis(lab);
  redis.env.SAMPLE = sample;
  const query = await startQueryServer(lab, redis);
  const api = await startApiServer(lab, query);
  return { redis, api: api.url, queue: openQueue(lab, redis), keys: openRedis(lab, redis) };
}

/** The old workers under pm2, in the careful form (notFetch), so that they finish what they take. */
export async function startOld(lab, { processes, sample }) {
  const made = await producers(lab, sample);
  const pm2 = new Pm2(lab, { ...made.redis.env, NOT_FETCH: 'true' });
  await pm2.start({ instances: processes });
  await until(async () => (await pm2.list()).every((app) => app.status === 'online'), 20_000, 'pm2 starting the workers');
  return {
    ...made, pm2,
    name: `${processes} ${processes === 1 ? 'process' : 'processes'} under pm2`,
    journal: new Journal(lab, `old-${processes}`),
    /** pm2 and its workers: the counterpart of Gaur. */
    processes: () => tree(pm2.daemon),
    stop: () => pm2.kill(),
  };
}

/** Gaur with the same .env; its own process, its keepers and its runners count. */
export async function startNew(lab, { sample, flags = [] }) {
  const made = await producers(lab, sample);
  const gaur = await startGaur(lab, made.redis, {
    flags: [...sampleFlags(sample), ...flags],
  });
  const { slots } = await gaur.status();
  return {
    ...made, gaur,
    name: `Gaur, ${slots} slots`,
    journal: new Journal(lab, 'new'),
    processes: () => tree(gaur.pid),
    stop: () => gaur.stop(),
  };
}
