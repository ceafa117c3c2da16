// Makes the sample: search events, the same ones on every machine, as Parquet under sample/.
// Every value follows from the row's number by DuckDB's hash(), so neither threads nor the clock change a byte
// of what a query answers.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';

const here = dirname(fileURLToPath(import.meta.url));
const FORMAT = 1; // raise it when the SQL below changes, so that old samples are made anew

const WORDS = {
  topic: ['laptop', 'running shoes', 'coffee', 'camera', 'tent', 'headphones', 'winter coat', 'desk lamp',
    '노트북', '운동화', '커피', '카메라', '텐트', '이어폰', '겨울 코트', '책상 조명', '김치 냉장고', '한우 선물세트'],
  wish: ['', 'cheap', 'best', 'review', 'used', 'for kids', 'gift', 'black', 'red', 'mini',
    '추천', '후기', '할인', '중고', '아이용', '선물', '검정', '빨강', '미니', '당일 배송'],
  brand: Array.from({ length: 60 }, (_, i) => (i % 2 ? `한빛${i}` : `acme${i}`)),
};
const CATEGORIES = ['electronics', 'fashion', 'food', 'home', 'outdoor', 'books', '가전', '패션', '식품', '생활'];
const REGIONS = ['seoul', 'busan', 'incheon', 'daegu', 'daejeon', 'gwangju', 'ulsan', 'jeju', 'tokyo', 'new york'];
const DAYS = 28;

const list = (values) => `[${values.map((v) => `'${v.replaceAll("'", "''")}'`).join(', ')}]`;
/** A number in [0, 1) that belongs to row i and purpose n. */
const unit = (n) => `(hash(i * 64 + ${n}) >> 11)::DOUBLE / 9007199254740992`;
/** 1 .. n, the k-th about 1/k^s as often as the first: how traffic falls over keywords and users. */
const zipf = (n, s, purpose) =>
  `least(${n}, floor((power(${n + 1}, ${1 - s}) * ${unit(purpose)} + (1 - ${unit(purpose)})) ^ (1 / ${1 - s})))::BIGINT`;

/** The events whose numbers `source` gives. */
function events(source) {
  return `
    WITH draws AS (
      SELECT i,
        ${zipf(40_000, 0.9, 1)} AS keyword_rank,
        ${zipf(400_000, 0.7, 2)} AS user_rank,
        ${zipf(REGIONS.length, 0.8, 3)} AS region_rank,
        ${unit(4)} AS day_draw, ${unit(5)} AS hour_draw, ${unit(6)} AS click_draw, ${unit(7)} AS dwell_draw
      FROM ${source} AS rows(i)
    ), dated AS (
      SELECT *,
        -- Keywords rise and fall: the same rank means another word as the weeks go by.
        floor(day_draw * ${DAYS})::BIGINT AS day,
        -- More is searched in the evening.
        (floor(24 * sqrt(hour_draw)) * 3600 + floor(day_draw * 1e9) % 3600)::BIGINT AS second
      FROM draws
    )
    SELECT
      TIMESTAMPTZ '2026-10-01 00:00:00+09' + to_days(day::INTEGER) + to_seconds(second) AS time,
      hash(user_rank)::UBIGINT % 1000000007 AS "user",
      word AS keyword,
      ${list(CATEGORIES)}[1 + (hash(word) % ${CATEGORIES.length})::INTEGER] AS category,
      ${list(REGIONS)}[region_rank] AS region,
      (CASE WHEN click_draw < 0.35 THEN 0 ELSE floor(-ln(1 - click_draw) * 2) END)::INTEGER AS clicks,
      round(exp(1.2 + 2.2 * dwell_draw + (hash(word) % 7) / 10.0), 2)::DECIMAL(9, 2) AS dwell
    FROM (
      SELECT *, 1 + (keyword_rank * (1 + (hash(keyword_rank) % 3)) + (day // 7) * (hash(keyword_rank) % 5)) AS w,
        trim(${list(WORDS.topic)}[1 + (hash(w) % ${WORDS.topic.length})::INTEGER] || ' '
          || ${list(WORDS.wish)}[1 + (hash(w + 1) % ${WORDS.wish.length})::INTEGER] || ' '
          || ${list(WORDS.brand)}[1 + (hash(w + 2) % ${WORDS.brand.length})::INTEGER]) AS word
      FROM dated)`;
}

/** Makes the sample unless it is there; answers its rows and bytes. */
export async function makeSample({ rows = 6_000_000, folder = join(here, 'sample') } = {}) {
  const stamp = join(folder, 'sample.json');
  const wanted = JSON.stringify({ format: FORMAT, rows });
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;
  rmSync(folder, { recursive: true, force: true });
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const files = 4;
  const bounds = (n) => `range(${Math.floor((rows * n) / files)}, ${Math.floor((rows * (n + 1)) / files)})`;
  await Promise.all(Array.from({ length: files }, async (_, n) => {
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'Asia/Seoul'");
    const target = join(part, `events-${n}.parquet`).replaceAll("'", "''");
    await connection.run(`COPY (${events(bounds(n))}) TO '${target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`);
    connection.closeSync();
  }));
  instance.closeSync();
  writeFileSync(join(part, 'sample.json'), wanted);
  renameSync(part, folder);
  return true;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rows = Number(process.argv[2] ?? 6_000_000);
  const made = await makeSample({ rows });
  console.log(made ? `made ${rows} events in sample/` : 'sample/ is there already');
}
