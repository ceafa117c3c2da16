// Reads back with @duckdb/node-api what gaur-duckdb wrote, and asks the same query there directly.
//   node read_back.mjs compare QUERY_FILE PARQUET_FILE   every column of both, row by row, must not be distinct
//   node read_back.mjs rows FUNCTION_SQL_FILE            the rows as JSON, by the rules of docs/reference/duckdb.md, from node-api's own values
import { readFileSync } from "node:fs";
import { DuckDBInstance, DuckDBTypeId as T } from "@duckdb/node-api";

const [mode, queryFile, file] = process.argv.slice(2);
const query = readFileSync(queryFile, "utf8");
const instance = await DuckDBInstance.create();
const connection = await instance.connect();
await connection.run("SET TimeZone='Asia/Seoul'");

if (mode === "compare") await compare();
else await rows();

async function compare() {
  const name = (n) => `"${n.replaceAll('"', '""')}"`;
  const columns = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM '${file}'`)).getRowObjects();
  // a type without names for its members cannot be written in a cast: those are compared as text
  const cast = (c) => (/STRUCT\((?!["a-z_])/.test(c.column_type) ? "VARCHAR" : c.column_type);
  const tests = columns.map((c) => `coalesce(bool_and(a.${name(c.column_name)}::${cast(c)} IS NOT DISTINCT FROM b.${name(c.column_name)}::${cast(c)}), false) AS ${name(c.column_name)}`);
  const reader = await connection.runAndReadAll(
    `WITH a AS (SELECT row_number() OVER () AS pos__, * FROM (${query})), b AS (SELECT row_number() OVER () AS pos__, * FROM '${file}')
     SELECT count(*) AS n, (SELECT count(*) FROM b) AS m, ${tests.join(", ")} FROM a JOIN b USING (pos__)`);
  const row = reader.getRowObjects()[0];
  const wrong = Object.entries(row).filter(([k, v]) => v === false).map(([k]) => k);
  if (wrong.length > 0 || row.n !== row.m) { console.log(`differ: ${wrong} (${row.n} of ${row.m} rows)`); process.exit(1); }
  console.log(`${columns.length} columns, ${row.n} rows are the same`);
}

function plain(value, type) {
  if (value === null || value === undefined) return null;
  switch (type.typeId) {
    case T.BIGINT: case T.UBIGINT: case T.HUGEINT: case T.UHUGEINT: case T.DECIMAL: case T.UUID: return String(value);
    case T.DOUBLE: return Number.isFinite(value) ? value : null;
    case T.FLOAT: return Number.isFinite(value) ? shortest(value) : null;
    case T.DATE: return String(value);
    case T.TIMESTAMP: return time(value.micros);
    case T.TIMESTAMP_TZ: return time(value.micros) + "Z";
    case T.LIST: case T.ARRAY: return value.items.map((v) => plain(v, type.valueType));
    case T.STRUCT: return Object.fromEntries(type.entryNames.map((n, i) => [n, plain(value.entries[n], type.entryTypes[i])]));
    case T.BLOB: return Buffer.from(value.bytes).toString("base64");
    default: return value;
  }
}
function shortest(float) {
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(float.toPrecision(digits));
    if (Math.fround(candidate) === float) return candidate;
  }
  return float;
}
function time(micros) {
  const text = new Date(Number(micros / 1000n - (micros % 1000n < 0n ? 1n : 0n))).toISOString().slice(0, 19);
  const rest = ((micros % 1000000n) + 1000000n) % 1000000n;
  return rest === 0n ? text : text + "." + String(rest).padStart(6, "0").replace(/0+$/, "");
}
async function rows() {
  const reader = await connection.runAndReadAll(query);
  const names = reader.deduplicatedColumnNames();
  const types = reader.columnTypes();
  process.stdout.write(JSON.stringify(reader.getRows().map((row) => Object.fromEntries(row.map((v, i) => [names[i], plain(v, types[i])])))));
}
