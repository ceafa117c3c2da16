// How the checks of section 7 of the protocol text are written: each by its number, once for every pairing of
// the two parties. N is unmodified Bull, C is Gaur. The pairing N-N shows that what is asserted is Bull's own
// behaviour; GAUR_INTEROP_FORMS=NN runs nothing else.
import { after, before, test } from 'node:test';
import { BullSide, bullMajor } from './bull_side.mjs';
import { GaurSide } from './gaur_side.mjs';
import { RedisServer } from './redis.mjs';

export { bullMajor } from './bull_side.mjs';
export { until } from './redis.mjs';
export const long = process.env.GAUR_LONG === '1';
const only = process.env.GAUR_INTEROP_FORMS?.split(',');

let server;
let serial = 0;

/** One server for all checks of a file. */
export function withRedis(...extra) {
  before(async () => { server = await RedisServer.start(...extra); });
  after(async () => { await server.stop(); });
}
export const redisServer = () => server;

/** One queue on which two parties meet. */
export class Place {
  constructor({ prefix = 'ncs_resource::', queue = `query${++serial}` } = {}) {
    this.prefix = prefix;
    this.queue = queue;
    this.base = `${prefix}:${queue}:`;
    this.url = server.url;
    this.redisOptions = server.options;
    this.redis = server.client;
    this.sides = [];
  }
  key(name) { return this.base + name; }
  async make(letter, options = {}) {
    const side = letter === 'C' ? new GaurSide(this, options) : new BullSide(this, options);
    this.sides.push(side);
    return side.ready();
  }
  /** A plain Bull queue, for looking. */
  async look() {
    this.looker ??= (await this.make('N')).queue;
    return this.looker;
  }
  async close() {
    await Promise.all(this.sides.map((side) => side.close()));
  }

  hash(id) { return this.redis.hgetall(this.key(id)); }
  list(name) { return this.redis.lrange(this.key(name), 0, -1); }
  zset(name) { return this.redis.zrange(this.key(name), 0, -1); }
  /** PTTL and value of a job's lock. */
  async lock(id) {
    const key = this.key(`${id}:lock`);
    const [[, token], [, ttl]] = await this.redis.multi().get(key).pttl(key).exec();
    return { token, ttl };
  }
}

// What Bull 3.29 does not do itself, as its pairing with itself shows: these checks are for Bull 4 alone.
const since4 = {
  10: 'no debounce', 11: 'publishes no duplicates', 12: 'no debounce', 17: 'no counts per priority', 23: 'other answers without a lock',
  24: 'a late finish passes', 27: 'keeps the first traces', 29: 'other words', 30: 'a retry ignores the priority',
  31: 'only true and numbers', 33: 'sets no finishedOn', 39: 'no retryJobs', 42: 'cleans by timestamp', 49: 'getWorkers needs a name',
  '48b': 'publishes no duplicates', 52: 'no metrics',
};
const whyNot3 = (number) => (bullMajor === 3 ? since4[number] ?? since4[parseInt(number, 10)] : undefined);

/**
 * @param forms  pairings such as ['NN', 'NC', 'CN']; the letters become `a` and `b`.
 * @param body   async ({place, a, b, form, make}) => ...; a and b are made with `options.a` and `options.b`.
 */
export function check(number, title, forms, body, options = {}) {
  if (whyNot3(number)) return void test(`${number}. ${title}`, { skip: `Bull 3: ${whyNot3(number)}` }, () => {});
  const wanted = only ? forms.filter((form) => only.includes(form)) : forms;
  test(`${number}. ${title}`, { timeout: 60_000, ...options.test }, async (t) => {
    for (const form of wanted) {
      await t.test(`${form[0]}-${form[1]}`, async () => {
        const place = new Place(options.place);
        try {
          const a = await place.make(form[0], options.a);
          const b = await place.make(form[1], options.b);
          await body({ place, a, b, form, redis: place.redis });
        } finally {
          await place.close();
        }
      });
    }
  });
}

export const both = ['NN', 'NC', 'CN'];
export const all = ['NN', 'NC', 'CN', 'CC'];
