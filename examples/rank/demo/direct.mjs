// Asks DuckDB itself, through @duckdb/node-api, what Gaur was asked. As a program of its own: one query, one process.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DATE, DuckDBDateValue, DuckDBInstance, INTEGER, VARCHAR } from '@duckdb/node-api';
import { burst } from '../queries.mjs';
import { encodeResult } from './encode.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const TIMEZONE = 'Asia/Seoul';
// What gaur.toml says of each function's result.
const SHAPES = {
  top_keywords: { bigint: 'number' },
  rank_movement: { result: 'arrays' },
  dwell_percentiles: {},
  wide_join: {},
};
const sql = (name) => readFileSync(join(here, '..', 'sql', `${name}.sql`), 'utf8');

const asDate = (text) => new DuckDBDateValue(Math.round(Date.parse(`${text}T00:00:00Z`) / 86_400_000));
const TYPES = { day: DATE, since: DATE, until: DATE, n: INTEGER, days: INTEGER, clicks: INTEGER, region: VARCHAR };

function bind(parameters) {
  const values = {};
  const types = {};
  for (const [name, value] of Object.entries(parameters)) {
    types[name] = TYPES[name];
    values[name] = types[name] === DATE ? asDate(value) : value;
  }
  return [values, types];
}

async function connect() {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`SET TimeZone = '${TIMEZONE}'`);
  return { instance, connection };
}

async function run(connection, query) {
  const [values, types] = bind(query.parameters);
  const begun = performance.now();
  const reader = await connection.runAndReadAll(sql(query.function), values, types);
  const ms = performance.now() - begun;
  const options = { result: 'objects', bigint: 'string', timezone: TIMEZONE, ...SHAPES[query.function] };
  return { ms, text: encodeResult(reader.columnNames(), reader.columnTypes(), reader.getRows(), options) };
}

/** Each query alone, one after the other, on all cores: what the answers must be, and how long each takes alone. */
export async function askDirectly(queries, folder, picture) {
  process.chdir(folder);
  const { instance, connection } = await connect();
  const answers = [];
  for (const query of queries) {
    answers.push(await run(connection, query));
    picture.step('asking DuckDB directly', answers.length, queries.length);
  }
  picture.end();
  connection.closeSync();
  instance.closeSync();
  return answers;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { connection } = await connect();
  await run(connection, burst()[Number(process.argv[2])]);
}
