#pragma once
// One row (and one of NULLs) with every DuckDB type, and the exact JSON of each value.
#include <string>
#include <vector>

namespace gaur::test {

struct TypeRow {
  std::string name;
  /// An expression.
  std::string sql;
  /// As the encoder must write it.
  std::string json;
};

inline const std::vector<TypeRow>& type_rows() {
  static const std::vector<TypeRow> kRows = {
      {"c_bool", "true", "true"},
      {"c_tiny", "(-128)::TINYINT", "-128"},
      {"c_small", "32767::SMALLINT", "32767"},
      {"c_int", "(-2147483648)::INTEGER", "-2147483648"},
      {"c_utiny", "255::UTINYINT", "255"},
      {"c_usmall", "65535::USMALLINT", "65535"},
      {"c_uint", "4294967295::UINTEGER", "4294967295"},
      {"c_big", "9007199254740993::BIGINT", "\"9007199254740993\""},
      {"c_ubig", "18446744073709551615::UBIGINT", "\"18446744073709551615\""},
      {"c_huge", "(-99999999999999999999999999999999999999)::HUGEINT",
       "\"-99999999999999999999999999999999999999\""},
      {"c_uhuge", "340282366920938463463374607431768211455::UHUGEINT",
       "\"340282366920938463463374607431768211455\""},
      {"c_bignum", "'-123456789012345678901234567890123456789012345678901234567890'::BIGNUM",
       "\"-123456789012345678901234567890123456789012345678901234567890\""},
      {"c_bignum_small", "'1000000000000000000'::BIGNUM", "\"1000000000000000000\""},
      {"c_float", "0.1::FLOAT", "0.1"},
      {"c_double", "0.30000000000000004::DOUBLE", "0.30000000000000004"},
      {"c_double_big", "1e21::DOUBLE", "1e+21"},
      {"c_double_under", "123456789012345680000::DOUBLE", "123456789012345680000"},
      {"c_double_small", "0.000001::DOUBLE", "0.000001"},
      {"c_double_tiny", "1.5e-7::DOUBLE", "1.5e-7"},
      {"c_double_min", "5e-324::DOUBLE", "5e-324"},
      {"c_nan", "'nan'::DOUBLE", "null"},
      {"c_inf", "'-inf'::DOUBLE", "null"},
      {"c_dec4", "1.10::DECIMAL(4,2)", "\"1.10\""},
      {"c_dec9", "(-0.05)::DECIMAL(9,2)", "\"-0.05\""},
      {"c_dec18", "123456789012.345678::DECIMAL(18,6)", "\"123456789012.345678\""},
      {"c_dec38", "12345678901234567890123456789012345678::DECIMAL(38,0)",
       "\"12345678901234567890123456789012345678\""},
      {"c_text", "'한글 \"따옴표\" \\ ' || chr(10) || chr(1) || '끝'",
       "\"한글 \\\"따옴표\\\" \\\\ \\n\\u0001끝\""},
      {"c_nul", "'a' || chr(0) || 'b'", "\"a\\u0000b\""},
      {"c_empty", "''", "\"\""},
      {"c_blob", "'\\xAA\\x00\\xFFa'::BLOB", "\"qgD/YQ==\""},
      {"c_bit", "'0101101001'::BIT", "\"0101101001\""},
      {"c_uuid", "'f0112233-4455-6677-8899-aabbccddeeff'::UUID", "\"f0112233-4455-6677-8899-aabbccddeeff\""},
      {"c_date", "DATE '2026-11-22'", "\"2026-11-22\""},
      {"c_date_bc", "DATE '0044-03-15 (BC)'", "\"-000043-03-15\""},
      {"c_date_far", "DATE '12345-01-02'", "\"+012345-01-02\""},
      {"c_date_inf", "'infinity'::DATE", "\"infinity\""},
      {"c_time", "TIME '12:34:56.789'", "\"12:34:56.789\""},
      {"c_time_ns", "'12:34:56.123456789'::TIME_NS", "\"12:34:56.123456789\""},
      {"c_timetz", "'12:34:56-03:30'::TIMETZ", "\"12:34:56-03:30\""},
      {"c_ts", "TIMESTAMP '1969-12-31 23:59:59.5'", "\"1969-12-31T23:59:59.5\""},
      {"c_ts_s", "'2026-11-22 12:34:56'::TIMESTAMP_S", "\"2026-11-22T12:34:56\""},
      {"c_ts_ms", "'2026-11-22 12:34:56.120'::TIMESTAMP_MS", "\"2026-11-22T12:34:56.12\""},
      {"c_ts_ns", "'2026-11-22 12:34:56.123456789'::TIMESTAMP_NS", "\"2026-11-22T12:34:56.123456789\""},
      {"c_tstz", "'2026-11-22 00:30:00+09'::TIMESTAMPTZ", "\"2026-11-21T15:30:00Z\""},
      {"c_ts_inf", "'-infinity'::TIMESTAMP", "\"-infinity\""},
      {"c_interval", "INTERVAL '14 months 3 days 04:05:06.7'", "\"P1Y2M3DT4H5M6.7S\""},
      {"c_interval_neg", "INTERVAL '-1 month 2 days -3.5 seconds'", "\"P-1M2DT-3.5S\""},
      {"c_interval_zero", "INTERVAL '0 days'", "\"PT0S\""},
      {"c_enum", "'나'::ENUM('가','나')", "\"나\""},
      {"c_list", "[1, NULL, 3]", "[1,null,3]"},
      {"c_lists", "[[1], [], NULL, ['2'::INTEGER]]", "[[1],[],null,[2]]"},
      {"c_texts", "['하나', NULL, 'a text longer than twelve bytes']",
       "[\"하나\",null,\"a text longer than twelve bytes\"]"},
      {"c_array", "[1.5, NULL]::DOUBLE[2]", "[1.5,null]"},
      {"c_struct", "{'a': 1, 'B b': 'x', 'c': [{'d': NULL::DATE}]}",
       "{\"a\":1,\"B b\":\"x\",\"c\":[{\"d\":null}]}"},
      {"c_row", "row(1, 'z')", "[1,\"z\"]"},
      {"c_map", "MAP {'k': 1, 'ㄱ': NULL}", "{\"k\":1,\"ㄱ\":null}"},
      {"c_map_int", "MAP {1: 'x', 2: NULL}", "[[1,\"x\"],[2,null]]"},
      {"c_union", "union_value(num := 2)::UNION(txt VARCHAR, num INTEGER)", "{\"tag\":\"num\",\"value\":2}"},
      {"c_json", "'{\"a\": 1}'::JSON", "\"{\\\"a\\\": 1}\""},
      {"c_variant", "42::VARIANT", "\"42\""},
      {"c_variants", "[1::VARIANT]", "\"[1]\""},
      {"c_geometry", "'POINT(1 2)'::GEOMETRY", "\"POINT (1 2)\""},
  };
  return kRows;
}

/// SELECT with all of them in row 1 and NULL everywhere in row 2.
inline std::string type_query() {
  std::string values;
  std::string nulls;
  for (const auto& row : type_rows()) {
    const std::string comma = values.empty() ? "" : ", ";
    values += comma + row.sql + " AS " + row.name;
    nulls += comma + "NULL";
  }
  return "SELECT " + values + " UNION ALL SELECT " + nulls;
}

}  // namespace gaur::test
