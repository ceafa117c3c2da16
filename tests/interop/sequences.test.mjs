// Random sequences of operations, done once by Bull and once by Gaur, leave the same keys, values and messages.
//   GAUR_SEED=n   the first seed (printed by each run); GAUR_LONG=1: 500 sequences; GAUR_SEQUENCES=n: so many
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { long, Place, redisServer, withRedis } from './lib/check.mjs';
import { Channels, plan, run, shorten } from './lib/sequence.mjs';

const count = Number(process.env.GAUR_SEQUENCES ?? (long ? 500 : 40));
const first = Number(process.env.GAUR_SEED ?? Math.floor(Date.now() / 1_000) % 1_000_000);
const onlyBull = process.env.GAUR_INTEROP_FORMS === 'NN';
const steps = 60;
const metrics = { maxDataPoints: 3 };
const realNow = Date.now;

withRedis();
let other; // one driver for all sequences

async function parties() {
  await redisServer().client.flushdb();
  const bullPlace = new Place({ prefix: 'byBull', queue: 'q' });
  const gaurPlace = new Place({ prefix: 'byGaur', queue: 'q' });
  const bull = await bullPlace.make('N', { metrics });
  const gaur = onlyBull ? await gaurPlace.make('N', { metrics }) : Object.assign(Object.create(other.sides[0]), { place: gaurPlace });
  const channels = [await Channels.open(redisServer().client, bullPlace.base), await Channels.open(redisServer().client, gaurPlace.base)];
  return {
    bull, gaur, channels,
    async setWall(ms) {
      Date.now = () => ms;
      if (!onlyBull) await gaur.setWall(ms);
    },
    async close() {
      Date.now = realNow;
      for (const each of channels) each.close();
      await Promise.all([bullPlace.close(), gaurPlace.close()]);
    },
  };
}

async function oneSequence(seed) {
  const whole = plan(seed, steps);
  if (!(await run(whole, parties))) return;
  const { steps: short, found } = await shorten(whole, parties);
  const report = found ? found.differs.slice(0, 12).join('\n  ') : 'it differs only when looked at in the end';
  assert.fail(`seed ${seed} differs:\n  ${report}\nafter\n${short.map((step) => `  ${JSON.stringify(step)}`).join('\n')}`);
}

test(`${count} sequences of ${steps} operations, seeds from ${first}`, async () => {
  other = new Place({ prefix: 'byGaur', queue: 'start' });
  try {
    if (!onlyBull) await other.make('C', { wallMs: 1_790_000_000_000, metrics });
    for (let i = 0; i < count; ++i) await oneSequence(first + i);
  } finally {
    Date.now = realNow;
    await other.close();
  }
});
