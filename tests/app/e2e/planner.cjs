// Plans what a test asks, with the package as a user has it.
const { writeFileSync, existsSync } = require('node:fs');
const { answer, plan, run, typed, UnrecoverableError } = require('../../../packages/runner');

const wait = (ms, signal) =>
  new Promise((done, failed) => {
    setTimeout(done, ms);
    signal.addEventListener('abort', () => failed(signal.reason));
  });

/** Use case classes of the old query server look like this: they build their SQL. */
class CitiesUseCase {
  execute({ least, names, order = 'people' }) {
    const where = ['people >= $least'];
    const params = { least };
    if (names) {
      where.push('city IN (SELECT unnest($names))');
      params.names = names;
    }
    return plan(`SELECT city, people FROM 'sample/cities.csv' WHERE ${where.join(' AND ')} ORDER BY ${order} DESC`, params);
  }
}
const cities = new CitiesUseCase();

const ENDLESS = 'SELECT count(*) AS n FROM range(1000000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3';

run({
  functions: {
    cities: (data) => cities.execute(data),
    files: (data) => cities.execute(data),
    bound: () =>
      plan('SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e, typeof(?) AS f', [
        typed('date', '2026-11-22'), 9007199254740993n, [1, 2.5], new Date(0), null, typed('decimal(9,2)', '1.5'),
      ]),
    known: () => answer({ rows: [] }),
    notAPlan: () => [1, 2, 3],
    sql: (data) => plan(data.sql, data.params),
    setup: (data) => ({ sql: data.sql, setup: data.setup }),
    setupRefused: (data) => ({ sql: data.sql, setup: data.setup }),
    fails: () => {
      throw new UnrecoverableError('nothing to plan');
    },
    async slow(data, { progress, signal }) {
      progress('planning');
      await wait(data.ms, signal);
      return plan(data.endless ? ENDLESS : 'SELECT 42 AS n');
    },
    crash(data) {
      if (existsSync(data.marker)) return plan('SELECT 7 AS n');
      writeFileSync(data.marker, '');
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
    },
  },
});
