// The sample: search events as Parquet, as examples/rank makes them, and the list of their keywords.
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { makeSample as makeEvents } from '../../rank/generate.mjs';
import { here } from './processes.mjs';

export async function makeSample({ rows = 3_000_000, folder = join(here, 'sample') } = {}) {
  await makeEvents({ rows, folder });
  const list = join(folder, 'keywords.txt');
  if (existsSync(list)) return;
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const quoted = (path) => `'${path.replaceAll("'", "''")}'`;
  await connection.run(`COPY (SELECT DISTINCT keyword FROM ${quoted(join(folder, '*.parquet'))} ORDER BY keyword)
    TO ${quoted(`${list}.part`)} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\t')`);
  connection.closeSync();
  instance.closeSync();
  renameSync(`${list}.part`, list);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeSample({ rows: Number(process.argv[2] ?? 3_000_000) });
