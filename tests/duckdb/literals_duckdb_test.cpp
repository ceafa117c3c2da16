// Every parameter type against DuckDB's own literal: the same value, of the same type, or a rejection that
// names the parameter, the value and the range.
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <random>

#include "base/raw_value.hpp"
#include "runner_process.hpp"

namespace gaur::test {
namespace {

struct LiteralCase {
  std::string type;
  std::string json;
  /// As SQL.
  std::string literal;
};

const std::vector<LiteralCase>& literal_cases() {
  static const std::vector<LiteralCase> kCases = {
      {"boolean", "true", "true"},
      {"integer", "-2147483648", "(-2147483648)::INTEGER"},
      {"integer", "3.0", "3::INTEGER"},
      {"bigint", "9223372036854775807", "9223372036854775807"},
      {"bigint", "-9223372036854775808", "(-9223372036854775808)::BIGINT"},
      {"bigint", "9007199254740993.0", "9007199254740993"},
      {"bigint", "1e3", "1000::BIGINT"},
      {"bigint", "12345678901234567.89e2", "1234567890123456789::BIGINT"},
      {"bigint", "-0", "0::BIGINT"},
      {"bigint", R"("9007199254740993")", "9007199254740993"},
      {"ubigint", "18446744073709551615", "18446744073709551615::UBIGINT"},
      {"ubigint", R"("18446744073709551615")", "18446744073709551615::UBIGINT"},
      {"ubigint", "0", "0::UBIGINT"},
      {"hugeint", "18446744073709551615", "18446744073709551615::HUGEINT"},
      {"hugeint", "170141183460469231731687303715884105727",
       "170141183460469231731687303715884105727::HUGEINT"},
      {"hugeint", "-170141183460469231731687303715884105728",
       "(-170141183460469231731687303715884105728)::HUGEINT"},
      {"uhugeint", "340282366920938463463374607431768211455",
       "340282366920938463463374607431768211455::UHUGEINT"},
      {"double", "95.82093798396099", "'95.82093798396099'::DOUBLE"},
      {"double", "0.30000000000000004", "'0.30000000000000004'::DOUBLE"},
      {"double", "1.7976931348623157e308", "'1.7976931348623157e308'::DOUBLE"},
      {"double", "5e-324", "'5e-324'::DOUBLE"},
      {"double", "18446744073709551616", "'18446744073709551616'::DOUBLE"},
      {"double", R"("Infinity")", "'inf'::DOUBLE"},
      {"double", R"("-Infinity")", "'-inf'::DOUBLE"},
      {"double", R"("NaN")", "'nan'::DOUBLE"},
      {"decimal(18,4)", "12345678901234.5678", "12345678901234.5678::DECIMAL(18,4)"},
      {"decimal(18,4)", "12345678901234.56780", "12345678901234.5678::DECIMAL(18,4)"},
      {"decimal(4,2)", R"("12.30")", "12.30::DECIMAL(4,2)"},
      {"decimal(4,2)", "-1.5e-1", "(-0.15)::DECIMAL(4,2)"},
      {"decimal(20,0)", "18446744073709551615", "18446744073709551615::DECIMAL(20,0)"},
      {"decimal(38,0)", "99999999999999999999999999999999999999",
       "99999999999999999999999999999999999999::DECIMAL(38,0)"},
      {"decimal(38,38)", "-0.99999999999999999999999999999999999999",
       "'-0.99999999999999999999999999999999999999'::DECIMAL(38,38)"},
      {"varchar", R"("\ud55c\u0000'")", "'한' || chr(0) || ''''"},
      {"date", R"("0001-01-01")", "DATE '0001-01-01'"},
      {"date", R"("2024-02-29")", "DATE '2024-02-29'"},
      {"date", R"("+012345-01-02")", "DATE '12345-01-02'"},
      {"date", R"("5881580-07-10")", "DATE '5881580-07-10'"},
      {"date", R"~("5877642-06-25 (BC)")~", "DATE '5877642-06-25 (BC)'"},
      {"date", R"("-5877641-06-25")", "DATE '5877642-06-25 (BC)'"},
      {"date", R"("-000043-03-15")", "DATE '0044-03-15 (BC)'"},
      {"date", R"("0000-01-01")", "DATE '0000-01-01'"},
      {"date", R"("infinity")", "DATE 'infinity'"},
      {"date", R"("-infinity")", "DATE '-infinity'"},
      {"time", R"("00:00")", "TIME '00:00:00'"},
      {"time", R"("23:59:59.999999")", "TIME '23:59:59.999999'"},
      {"time", R"("23:59:59.9999990")", "TIME '23:59:59.999999'"},
      {"time", R"("24:00:00")", "TIME '24:00:00'"},
      {"timestamp", R"("2016-12-31T24:00:00")", "TIMESTAMP '2016-12-31 24:00:00'"},
      {"timestamp", R"("2016-12-31")", "TIMESTAMP '2016-12-31'"},
      {"timestamp", R"("1969-12-31 23:59:59.5")", "TIMESTAMP '1969-12-31 23:59:59.5'"},
      {"timestamp", R"("+294247-01-10T04:00:54.775806")", "TIMESTAMP '294247-01-10 04:00:54.775806'"},
      {"timestamp", R"~("290309-12-22 (BC) 00:00:00")~", "TIMESTAMP '290309-12-22 (BC) 00:00:00'"},
      {"timestamp", R"("infinity")", "TIMESTAMP 'infinity'"},
      {"timestamp", R"("-infinity")", "TIMESTAMP '-infinity'"},
      {"timestamptz", R"("2026-11-22T09:30:00Z")", "TIMESTAMPTZ '2026-11-22 09:30:00+00'"},
      {"timestamptz", R"("2026-11-22T09:30:00+09")", "TIMESTAMPTZ '2026-11-22 09:30:00+09'"},
      {"timestamptz", R"("2026-11-22T09:30:00+0930")", "TIMESTAMPTZ '2026-11-22 09:30:00+0930'"},
      {"timestamptz", R"("2026-11-22T09:30:00-15:59")", "TIMESTAMPTZ '2026-11-22 09:30:00-15:59'"},
      {"timestamptz", R"("2026-11-22 09:30:00+09:00:30")", "TIMESTAMPTZ '2026-11-22 09:30:00+09:00:30'"},
      {"timestamptz", R"("-infinity")", "TIMESTAMPTZ '-infinity'"},
      {"uuid", R"("F0112233-4455-6677-8899-aabbccddeeff")", "'f0112233-4455-6677-8899-aabbccddeeff'::UUID"},
      {"uuid", R"("f0112233445566778899aabbccddeeff")", "'f0112233445566778899aabbccddeeff'::UUID"},
      {"uuid", R"("00000000-0000-0000-0000-000000000000")", "'00000000-0000-0000-0000-000000000000'::UUID"},
      {"uuid", R"("ffffffff-ffff-ffff-ffff-ffffffffffff")", "'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID"},
      {"blob", R"("qgD/YQ==")", R"('\xAA\x00\xFFa'::BLOB)"},
      {"blob", R"("")", "''::BLOB"},
      {"interval", R"("P1Y2M3DT4H5M6.7S")", "INTERVAL '14 months 3 days 04:05:06.7'"},
      {"interval", R"("P-1M2DT-3.5S")", "INTERVAL '-1 month 2 days -3.5 seconds'"},
      {"interval", R"("-P2W")", "INTERVAL '-14 days'"},
      {"interval", R"("PT0S")", "INTERVAL '0 days'"},
      {"interval", R"("3 days")", "INTERVAL '3 days'"},
      {"interval", R"("1 year -2 months")", "INTERVAL '1 year -2 months'"},
      {"interval", R"("1 day -04:05:06.000001")", "INTERVAL '1 day -04:05:06.000001'"},
      {"interval", R"("PT9223372036854.775807S")", "to_microseconds(9223372036854775807)"},
      {"json", R"({"a":[1,12345678901234.5678]})", R"('{"a":[1,12345678901234.5678]}'::JSON)"},
      {"json", R"("text")", R"('"text"'::JSON)"},
      {"json", "18446744073709551616", "'18446744073709551616'::JSON"},
      {"bigint[]", "[9007199254740993,1e3]", "[9007199254740993, 1000]::BIGINT[]"},
      {"ubigint[]", "[18446744073709551615]", "[18446744073709551615]::UBIGINT[]"},
      {"hugeint[]", R"(["-1",2])", "[-1, 2]::HUGEINT[]"},
      {"uhugeint[]", "[340282366920938463463374607431768211455]",
       "[340282366920938463463374607431768211455]::UHUGEINT[]"},
      {"double[]", "[95.82093798396099,-0.5]", "['95.82093798396099'::DOUBLE, -0.5]::DOUBLE[]"},
      {"decimal(5,1)[]", R"([1,"2.5"])", "[1.0, 2.5]::DECIMAL(5,1)[]"},
      {"boolean[]", "[true,false]", "[true, false]"},
      {"integer[]", "[]", "[]::INTEGER[]"},
      {"varchar[]", R"(["a",""])", "['a', '']"},
      {"date[]", R"(["infinity","2026-11-22"])", "[DATE 'infinity', DATE '2026-11-22']"},
      {"time[]", R"(["09:30"])", "[TIME '09:30:00']"},
      {"timestamp[]", R"(["2026-11-22"])", "[TIMESTAMP '2026-11-22 00:00:00']"},
      {"timestamptz[]", R"(["2026-11-22T00:00:00Z"])", "[TIMESTAMPTZ '2026-11-22 00:00:00+00']"},
      {"uuid[]", R"(["f0112233445566778899aabbccddeeff"])", "['f0112233445566778899aabbccddeeff'::UUID]"},
      {"blob[]", R"(["qg=="])", R"(['\xAA'::BLOB])"},
      {"interval[]", R"(["P1D"])", "[INTERVAL '1 day']"},
      {"json[]", R"([{"a":1},null])", R"(['{"a":1}'::JSON, 'null'::JSON])"},
  };
  return kCases;
}

std::string spec_of(const json::Object& functions) {
  return json::serialize(json::Object{{"timezone", "Asia/Seoul"}, {"functions", functions}});
}

json::Object function_of(const std::string& sql, const std::string& type) {
  return {{"sql", sql},
          {"result", "arrays"},
          {"envelope", false},
          {"params", json::Object{{"x", json::Object{{"type", type}}}}}};
}

TEST(Literals, BindsEveryTypeLikeDuckdbsLiteral) {
  json::Object functions;
  for (std::size_t i = 0; i < literal_cases().size(); ++i) {
    const auto& each = literal_cases()[i];
    functions["f" + std::to_string(i)] =
        function_of("SELECT $x IS NOT DISTINCT FROM (" + each.literal + "), typeof($x) = typeof(" +
                        each.literal + "), typeof($x), $x::VARCHAR, (" + each.literal + ")::VARCHAR",
                    each.type);
  }
  RunnerProcess runner(spec_of(functions));
  for (std::size_t i = 0; i < literal_cases().size(); ++i) {
    const auto& each = literal_cases()[i];
    const auto outcome = runner.call_raw("f" + std::to_string(i), "{\"x\":" + each.json + "}");
    ASSERT_EQ(json::text_or(outcome, "type", ""), "completed")
        << each.type << " " << each.json << runner.last_line;
    const auto& row = outcome.at("result").at(0);
    EXPECT_TRUE(row.at(0).as_bool() && row.at(1).as_bool() && row.at(3) == row.at(4))
        << each.type << " " << each.json << ": " << json::serialize(row);
  }
}

TEST(Literals, RejectsValuesOutsideTheRangeOfTheirType) {
  struct Rejected {
    std::string type, json, why;
  };
  const std::vector<Rejected> cases = {
      {"integer", "2147483648", "must be a whole number from -2147483648 to 2147483647, got 2147483648"},
      {"bigint", "1.5", "must be a whole number from -9223372036854775808 to 9223372036854775807"},
      {"bigint", "9223372036854775808", "got 9223372036854775808"},
      {"bigint", "1e400", "got 1e400"},
      {"bigint", "1e2147483640", "got 1e2147483640"},
      {"ubigint", "-1", "must be a whole number from 0 to 18446744073709551615"},
      {"ubigint", "18446744073709551616", "must be a whole number from 0 to 18446744073709551615"},
      {"hugeint", "170141183460469231731687303715884105728", "from -170141183460469231731687303715884105728"},
      {"uhugeint", "340282366920938463463374607431768211456", "to 340282366920938463463374607431768211455"},
      {"double", "1e309",
       "must be a number from -1.7976931348623157e+308 to 1.7976931348623157e+308, got 1e309"},
      {"double", R"("0.5")", "must be a number, got \"0.5\""},
      {"decimal(18,4)", "12345678901234.56781", "at most 14 digits before and 4 after the point"},
      {"decimal(18,4)", "1E400", "got 1E400"},
      {"decimal(18,4)", "100000000000000", "at most 14 digits before"},
      {"decimal(4,2)", R"("12.3x")", "got \"12.3x\""},
      {"date", R"("5881580-07-11")", "must be a date"},
      {"date", R"("2025-02-29")", "must be a date"},
      {"date", R"("2026-1-3")", "must be a date"},
      {"time", R"("23:59:60")", "must be a time of day"},
      {"time", R"("24:00:00.1")", "must be a time of day"},
      {"time", R"("00:00:00.1234567")", "must be a time of day"},
      {"timestamp", R"("2016-12-31 23:59:60")", "must be a time without zone"},
      {"timestamp", R"("2016-12-31T00:00:00Z")", "must be a time without zone"},
      {"timestamp", R"("+294247-01-10T04:00:54.775807")", "must be a time without zone"},
      {"timestamptz", R"("2016-12-31T00:00:00")", "must be a time with its zone"},
      {"timestamptz", R"("2016-12-31T00:00:00+9")", "must be a time with its zone"},
      {"uuid", R"("f0112233-4455-6677-8899-aabbccddeefg")", "must be a UUID"},
      {"blob", R"("qg")", "must be bytes in base64"},
      {"blob", R"("qh==")", "must be bytes in base64"},
      {"interval", R"("tomorrow")", "must be an interval"},
      {"interval", R"("P1.5D")", "must be an interval"},
      {"interval", R"("P")", "must be an interval"},
      {"interval", R"("P178956971Y")", "must be an interval"},
      {"bigint[]", "[1,1.5]", "item 1 must be a whole number"},
      {"bigint[]", "[1,null]", "item 1 must be a whole number"},
  };
  json::Object functions;
  for (std::size_t i = 0; i < cases.size(); ++i)
    functions["f" + std::to_string(i)] = function_of("SELECT $x", cases[i].type);
  RunnerProcess runner(spec_of(functions));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto outcome = runner.call_raw("f" + std::to_string(i), "{\"x\":" + cases[i].json + "}");
    const auto message = json::text_or(outcome, "message", "");
    EXPECT_EQ(json::text_or(outcome, "code", ""), "parameter")
        << cases[i].type << cases[i].json << runner.last_line;
    EXPECT_TRUE(message.starts_with("parameter x ")) << message;
    EXPECT_NE(message.find(cases[i].why), std::string::npos) << cases[i].type << " " << message;
  }
}

TEST(Literals, UntypedWholeNumbersKeepAllDigits) {
  RunnerProcess runner(
      R"({"ad_hoc":true,"functions":{"any":{"ad_hoc":true,"result":"arrays","envelope":false}}})");
  const auto row = [&](const std::string& value) {
    const auto outcome =
        runner.call_raw("any", R"({"sql":"SELECT typeof($x), $x::VARCHAR","params":{"x":)" + value + "}}");
    return outcome.contains("result") ? json::serialize(outcome.at("result").at(0))
                                      : json::text_or(outcome, "message", "");
  };
  EXPECT_EQ(row("9223372036854775807"), R"(["BIGINT","9223372036854775807"])");
  EXPECT_EQ(row("18446744073709551615"), R"(["HUGEINT","18446744073709551615"])");
  EXPECT_EQ(row("340282366920938463463374607431768211455"),
            R"(["UHUGEINT","340282366920938463463374607431768211455"])");
  EXPECT_EQ(row("[1,18446744073709551615]"), R"(["HUGEINT[]","[1, 18446744073709551615]"])");
  EXPECT_EQ(row("[1,0.5]"), R"(["DOUBLE[]","[1.0, 0.5]"])");
  EXPECT_EQ(row("1e3"), R"(["DOUBLE","1000.0"])");
  EXPECT_EQ(row("null"), R"(["\"NULL\"",null])");
  EXPECT_EQ(row(R"({"type":"uuid","value":null})"), R"(["UUID",null])");
  EXPECT_EQ(row(R"({"type":"json","value":{"a":1.50}})"), R"(["JSON","{\"a\":1.50}"])");
  EXPECT_NE(row("999999999999999999999999999999999999999999").find("parameter x has more digits"),
            std::string::npos);
  EXPECT_NE(row("1e309").find("parameter x must be a number from"), std::string::npos);
}

TEST(Literals, BindsDoublesBitForBit) {
  constexpr int kCalls = 20;
  constexpr int kEach = 5000;  // 100 000 in all
  RunnerProcess runner(
      spec_of({{"echo", json::Object{{"sql", "SELECT unnest($x) AS x"},
                                     {"result", "arrays"},
                                     {"envelope", false},
                                     {"inline_bytes", 900000},
                                     {"params", json::Object{{"x", json::Object{{"type", "double[]"}}}}}}}}));
  std::mt19937_64 random(7);
  for (int call = 0; call < kCalls; ++call) {
    std::string list;
    std::vector<double> sent;
    while (sent.size() < kEach) {
      const double value = sent.size() % 2 == 0 ? std::uniform_real_distribution<double>(-1000, 1000)(random)
                                                : std::bit_cast<double>(random());
      if (!std::isfinite(value)) continue;
      char text[64];
      const auto end = std::to_chars(text, text + sizeof text, value).ptr;
      list += (sent.empty() ? "" : ",") + std::string(text, end);
      sent.push_back(value);
    }
    runner.call_raw("echo", "{\"x\":[" + list + "]}");
    const auto rows = json::RawValue(runner.last_line).find("result");
    ASSERT_TRUE(rows) << runner.last_line.substr(0, 300);
    const auto items = rows->items();
    ASSERT_EQ(items.size(), sent.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string text = items[i].items().at(0).text();
      double back = 0;
      std::from_chars(text.data(), text.data() + text.size(), back);
      ASSERT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(sent[i])) << text;
    }
  }
}

TEST(Literals, BindsAMissingParameterAsANullOfItsType) {
  json::Object functions;
  const std::vector<std::pair<std::string, std::string>> types = {{"boolean", "BOOLEAN"},
                                                                  {"integer", "INTEGER"},
                                                                  {"bigint", "BIGINT"},
                                                                  {"ubigint", "UBIGINT"},
                                                                  {"hugeint", "HUGEINT"},
                                                                  {"uhugeint", "UHUGEINT"},
                                                                  {"double", "DOUBLE"},
                                                                  {"decimal(9,2)", "DECIMAL(9,2)"},
                                                                  {"varchar", "VARCHAR"},
                                                                  {"date", "DATE"},
                                                                  {"time", "TIME"},
                                                                  {"timestamp", "TIMESTAMP"},
                                                                  {"timestamptz", "TIMESTAMP WITH TIME ZONE"},
                                                                  {"uuid", "UUID"},
                                                                  {"blob", "BLOB"},
                                                                  {"interval", "INTERVAL"},
                                                                  {"json", "JSON"},
                                                                  {"bigint[]", "BIGINT[]"},
                                                                  {"decimal(9,2)[]", "DECIMAL(9,2)[]"},
                                                                  {"json[]", "JSON[]"}};
  for (const auto& [type, name] : types)
    functions[type] = function_of("SELECT typeof($x), typeof(coalesce($x, NULL)), $x IS NULL", type);
  // an untyped NULL fails here: "Could not choose a best candidate function for +(NULL, INTERVAL)"
  functions["overload"] =
      function_of("SELECT typeof($x + INTERVAL 1 DAY), typeof(date_trunc('day', $x))", "date");
  functions["result"] = json::Object{{"sql", "SELECT $x AS x, coalesce($x, 5) AS y"},
                                     {"params", json::Object{{"x", json::Object{{"type", "decimal(9,2)"}}}}}};
  RunnerProcess runner(spec_of(functions));
  for (const auto& [type, name] : types) {
    const auto outcome = runner.call(type);
    ASSERT_TRUE(outcome.contains("result")) << type << runner.last_line;
    EXPECT_EQ(json::serialize(outcome.at("result").at(0)), json::serialize(json::Array{name, name, true}))
        << type;
  }
  EXPECT_EQ(json::serialize(runner.call("overload").at("result")),
            json::serialize(runner.call("overload", json::Object{{"x", "2026-11-22"}}).at("result")));
  EXPECT_EQ(json::serialize(runner.call("result").at("result").at("schema")),
            json::serialize(runner.call("result", json::Object{{"x", "1.5"}}).at("result").at("schema")));
}

}  // namespace
}  // namespace gaur::test
