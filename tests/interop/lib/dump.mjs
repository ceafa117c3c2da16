// Everything that stands under one queue, as plain values that can be compared.

const readers = {
  string: (redis, key) => redis.get(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: async (redis, key) => (await redis.smembers(key)).sort(),
  zset: async (redis, key) => pairs(await redis.zrange(key, 0, -1, 'WITHSCORES')),
  hash: (redis, key) => redis.hgetall(key),
  stream: async (redis, key) => redis.xrange(key, '-', '+'),
};

function pairs(flat) {
  const out = [];
  for (let i = 0; i < flat.length; i += 2) out.push([flat[i], flat[i + 1]]);
  return out;
}

export async function keysUnder(redis, base) {
  const found = [];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', base.replace(/[*?[\]\\]/g, '\\$&') + '*', 'COUNT', 1000);
    found.push(...keys);
    cursor = next;
  } while (cursor !== '0');
  return [...new Set(found)].sort();
}

/** {name without base: {type, ttl: 'none' | 'some', value}} */
export async function dump(redis, base) {
  const keys = await keysUnder(redis, base);
  const out = {};
  await Promise.all(keys.map(async (key) => {
    const [type, ttl] = await Promise.all([redis.type(key), redis.pttl(key)]);
    if (type === 'none') return;
    out[key.slice(base.length)] = { type, ttl: ttl < 0 ? 'none' : 'some', value: await readers[type](redis, key) };
  }));
  return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function retention(value) {
  if (value === true) return { count: 0 };
  if (value === false || value === undefined) return undefined;
  if (typeof value === 'number') return { count: value };
  return Object.keys(value).length === 0 ? undefined : value;
}

/** opts of a job hash, with one spelling for each meaning that has two. */
export function normalOpts(text) {
  const opts = JSON.parse(text);
  for (const key of ['removeOnComplete', 'removeOnFail']) {
    const keep = retention(opts[key]);
    delete opts[key];
    if (keep !== undefined) opts[key] = keep;
  }
  if (opts.jobId !== undefined) opts.jobId = String(opts.jobId);
  if (opts.lifo === false) delete opts.lifo;
  if (opts.backoff && !opts.backoff.delay) delete opts.backoff;
  if (opts.priority === 0) delete opts.priority;
  return Object.fromEntries(Object.entries(opts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A dump with tokens, base and the two spellings of options made alike. */
export function normalised(dumped, base) {
  const out = structuredClone(dumped);
  for (const [name, entry] of Object.entries(out)) {
    if (name.endsWith(':lock')) entry.value = '<token>';
    if (entry.type !== 'hash') continue;
    if (entry.value.opts !== undefined) entry.value.opts = normalOpts(entry.value.opts);
    for (const field of ['data', 'progress', 'returnvalue', 'stacktrace']) {
      if (entry.value[field] === undefined) continue;
      try {
        entry.value[field] = { json: JSON.parse(entry.value[field]) };
      } catch {
        entry.value[field] = { notJson: entry.value[field] };
      }
    }
    if (name === 'limiter:index') {
      for (const [id, set] of Object.entries(entry.value)) entry.value[id] = set.replace(base, '<base>');
    }
  }
  return out;
}
