// Rows of @duckdb/node-api as JSON by the rules of docs/reference/duckdb.md ("How values are written"), written from that page and
// not from the runner's code: two independent hands that must agree byte for byte.
import { DuckDBTypeId as T } from '@duckdb/node-api';

const EXACT = BigInt(Number.MAX_SAFE_INTEGER);
const WIDE = new Set([T.BIGINT, T.UBIGINT, T.HUGEINT, T.UHUGEINT, T.BIGNUM]);
const SMALL = new Set([T.TINYINT, T.SMALLINT, T.INTEGER, T.UTINYINT, T.USMALLINT, T.UINTEGER]);
const REAL = new Set([T.FLOAT, T.DOUBLE]);

const DAY_US = 86_400_000_000n;

function dateText(days) {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

/** Microseconds since 1970 as ISO-8601, the fraction without its last zeros. */
function timestampText(micros) {
  const days = micros / DAY_US - (micros % DAY_US < 0n ? 1n : 0n);
  const rest = micros - days * DAY_US;
  const seconds = Number(rest / 1_000_000n);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((n) => String(n).padStart(2, '0'));
  const fraction = String(rest % 1_000_000n).padStart(6, '0').replace(/0+$/, '');
  return `${dateText(Number(days))}T${clock.join(':')}${fraction ? `.${fraction}` : ''}`;
}

function decimalText({ value, scale }) {
  if (scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function wideText(value, options) {
  const bare = options.bigint === 'number' && value <= EXACT && value >= -EXACT;
  return bare ? String(value) : `"${value}"`;
}

/** One value. Throws for types that the demo's queries do not have: better no answer than a wrong one. */
function encode(value, type, options) {
  if (value === null) return 'null';
  const id = type.typeId;
  if (id === T.BOOLEAN || SMALL.has(id)) return String(value);
  if (WIDE.has(id)) return wideText(value, options);
  if (REAL.has(id)) return Number.isFinite(value) ? String(value) : 'null';
  if (id === T.VARCHAR) return JSON.stringify(value);
  if (id === T.DECIMAL) return `"${decimalText(value)}"`;
  if (id === T.DATE) return `"${dateText(value.days)}"`;
  if (id === T.TIMESTAMP) return `"${timestampText(value.micros)}"`;
  if (id === T.TIMESTAMP_TZ) return `"${timestampText(value.micros)}Z"`;
  if (id === T.LIST) return `[${value.items.map((item) => encode(item, type.valueType, options)).join(',')}]`;
  throw new Error(`no rule here for the type ${type}`);
}

function jsonName(type, options) {
  const id = type.typeId;
  if (id === T.BOOLEAN) return 'boolean';
  if (SMALL.has(id) || REAL.has(id)) return 'number';
  if (WIDE.has(id)) return options.bigint === 'number' ? 'number' : 'string';
  return id === T.LIST ? 'array' : 'string';
}

/** The whole result as the runner stores it: schema, rows, count, time zone. */
export function encodeResult(names, types, rows, options) {
  const schema = names.map((name, i) => `{"name":${JSON.stringify(name)},"type":${JSON.stringify(String(types[i]))},"json":"${jsonName(types[i], options)}"}`);
  const row = (values) => {
    const texts = values.map((value, i) => encode(value, types[i], options));
    if (options.result === 'arrays') return `[${texts.join(',')}]`;
    return `{${texts.map((text, i) => `${JSON.stringify(names[i])}:${text}`).join(',')}}`;
  };
  return `{"schema":[${schema.join(',')}],"rows":[${rows.map(row).join(',')}],"row_count":${rows.length},"truncated":false,"timezone":"${options.timezone}"}`;
}
