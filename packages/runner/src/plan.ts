// Results other than values: a plan for gaur-duckdb, a result file.

/** Types that gaur-duckdb binds (docs/reference/duckdb.md, "Parameters"); with [] appended: a list. */
export type SqlType = string;
export type PlanScalar = string | number | boolean | null;
/** A value with its SQL type, created by typed(). */
export interface TypedValue {
  readonly type: SqlType;
  readonly value: PlanScalar | readonly PlanScalar[];
}
export type PlanValue = PlanScalar | Date | bigint | readonly (PlanScalar | Date | bigint)[] | TypedValue;
/** By name for `$name`, a list for `?` and `$1`. */
export type PlanParams = Readonly<Record<string, PlanValue>> | readonly PlanValue[];

/** What a function with a `plan_pool` returns: the SQL that its `pool` runs. */
export interface Plan {
  readonly sql: string;
  readonly params: Record<string, unknown> | unknown[];
}
/** Or the result itself, without SQL. */
export interface PlannedAnswer {
  readonly answer: unknown;
}

const WHOLE_TYPES = [
  { type: 'bigint', least: -(2n ** 63n), most: 2n ** 63n - 1n },
  { type: 'hugeint', least: -(2n ** 127n), most: 2n ** 127n - 1n },
  { type: 'uhugeint', least: 0n, most: 2n ** 128n - 1n },
];
/** The narrowest type for all of these values. */
function wholeType(values: readonly bigint[]): SqlType {
  const found = WHOLE_TYPES.find(({ least, most }) => values.every((value) => value >= least && value <= most));
  if (!found) throw new TypeError('a bigint in the parameters of plan() needs more than 128 bits');
  return found.type;
}
const whole = (value: bigint): TypedValue => ({ type: wholeType([value]), value: value.toString() });
const time = (value: Date): TypedValue => ({ type: 'timestamptz', value: value.toISOString() });

function bound(value: PlanValue | undefined): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return whole(value);
  if (value instanceof Date) return time(value);
  if (!Array.isArray(value)) return value;
  const items = value as readonly (PlanScalar | Date | bigint)[];
  if (items.length > 0 && items.every((item) => typeof item === 'bigint')) {
    return { type: `${wholeType(items as bigint[])}[]`, value: items.map((item) => item.toString()) };
  }
  if (items.length > 0 && items.every((item) => item instanceof Date)) {
    return { type: 'timestamptz[]', value: items.map((item) => item.toISOString()) };
  }
  return items;
}

/** A value that is bound as exactly this type: typed('date', '2026-11-22'), typed('varchar[]', []). */
export function typed(type: SqlType, value: PlanScalar | readonly PlanScalar[]): TypedValue {
  return { type, value };
}

/** SQL for gaur-duckdb to run, with its parameters. A Date is bound as TIMESTAMPTZ, a bigint as BIGINT, larger ones as
 * HUGEINT or UHUGEINT. A number is a double: pass whole numbers above 2^53 as bigint or string. */
export function plan(sql: string, params: PlanParams = {}): Plan {
  if (typeof sql !== 'string' || sql.trim() === '') throw new TypeError('plan() needs the SQL as a string');
  if (Array.isArray(params)) return { sql, params: params.map((value: PlanValue) => bound(value)) };
  const entries = Object.entries(params as Record<string, PlanValue>);
  return { sql, params: Object.fromEntries(entries.map(([name, value]) => [name, bound(value)])) };
}

/** The job's result itself, from a planning use case that needs no SQL. */
export function answer(value: unknown): PlannedAnswer {
  return { answer: value === undefined ? null : value };
}

export interface ResultFileInfo {
  format: string;
  rows?: number;
}

/** A result with a file that the handler wrote into `context.outFolder`. */
export class ResultFile {
  constructor(
    readonly name: string,
    readonly info: ResultFileInfo,
    readonly result: object,
  ) {}
}

/** Returned by a handler: the file of this name becomes the job's result file; `result` gains a `file` member with its URL. */
export function resultFile(name: string, info: ResultFileInfo, result: object = {}): ResultFile {
  return new ResultFile(name, info, result);
}
